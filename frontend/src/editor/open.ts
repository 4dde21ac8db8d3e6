/** Opens a video: creates its store, its connection and all effects that watch them. `close` stops everything. */

import { batch, effect } from "@preact/signals";
import { watchBlink } from "../actions/compare";
import { watchAsked } from "../actions/leases";
import { followLinks, readTarget } from "../actions/links";
import { watchPaintings } from "../actions/painting";
import { watchPlaying } from "../actions/playback";
import { showPreview, watchPreview } from "../actions/preview";
import { RunQueue } from "../actions/queue";
import { watchWorkTime } from "../actions/workTime";
import { FrameCache } from "../canvas/frames";
import { maskReceived } from "../canvas/metrics";
import { Stage } from "../canvas/stage";
import { framePoint } from "../canvas/view";
import { Outbox } from "../connection/outbox";
import { openShelf } from "../connection/outboxStorage";
import { Socket } from "../connection/socket";
import { toast } from "../parts/Toast";
import type { Error as Refusal } from "../protocol";
import { reduce } from "../state/reduce";
import { createStore, type Store } from "../state/store";
import { UndoHistory } from "../state/undoHistory";
import { recall, remember } from "../state/view";
import type { Studio } from "../studio/studio";
import { watchKeys } from "./accountKeys";
import { watchAreas } from "./areaCounter";
import { createCommands } from "./commands";
import { loadEngines } from "./engineChoice";
import { watchJobs } from "./jobs";
import { keepRoom } from "./maskEviction";
import { MaskLoader } from "./maskLoader";
import { loadOlderRounds } from "./olderRounds";
import { watchScores } from "./scores";
import { NOT_KEPT, restored, settled, welcome } from "./welcome";

const LOOKING_EVERY = 300; // ms between two presence messages
const REMEMBER_AFTER = 200; // ms without a change before the view is saved

export function openVideo(id: number): Studio {
  const store = createStore(id);
  const stage = new Stage();
  restoreView(store, stage);
  const shelf = openShelf();
  shelf.catch(() => {}); // The welcome handler tells the person.
  const socket = new Socket({
    url: socketUrl(id),
    events: {
      state: (state) => {
        store.connection.value = state;
      },
      welcome: (message) => void welcome(studio, message, shelf),
      message: (message) => {
        if (message.type === "ack") outbox.acknowledged(message);
        else if (message.type === "error") refused(outbox, message);
        else reduce(store, message);
      },
      masks: (masks) => {
        for (const { seq, round, frame } of masks) {
          store.masks.streamed.add(round);
          maskReceived(seq, round, frame);
        }
        store.masks.add(masks);
      },
      preview: (masks) => {
        for (const mask of masks) showPreview(studio, mask);
      },
      closed: (code, text, final) => {
        if (final) store.problem.value = { code: String(code), text };
      },
    },
  });
  const outbox = new Outbox({
    video: id,
    post: (message) => socket.send(message),
    restored: (message, expected) => restored(store, message, expected),
    settled: (message, outcome, expected) => settled(studio, message, outcome, expected),
    unkept: () => toast(NOT_KEPT),
  });
  const frames = new FrameCache(id);
  frames.preload(readTarget(location.hash).frame ?? store.frame.peek());
  const engines = loadEngines(store);
  const parts = { store, outbox, socket, history: new UndoHistory(), stage, frames, engines };
  const studio: Studio = { ...parts, commands: [], close: () => {} };
  const commands = createCommands(studio);
  const ends = watch(studio);
  Object.assign(studio, {
    commands,
    close: () => {
      for (const end of ends) end();
      socket.stop();
      outbox.close();
      frames.close();
    },
  });
  socket.start();
  return studio;
}

function socketUrl(id: number): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/videos/${id}`;
}

function watch(studio: Studio): (() => void)[] {
  const { store, stage, frames } = studio;
  const loader = new MaskLoader(store);
  const endRoom = keepRoom(store);
  const queue = new RunQueue(studio);
  return [
    () => queue.close(),
    watchAreas(store),
    watchPaintings(studio),
    watchBlink(studio),
    watchPreview(studio),
    watchPlaying(studio, (frame) => frames.has(frame)),
    effect(() => {
      const video = store.video.value;
      if (!video) return;
      stage.open({ width: video.width, height: video.height }, video.pixel_aspect);
      frames.open(video);
    }),
    effect(() => frames.follow(store.frame.value, store.video.value?.frame_count ?? 0, store.playing.value)),
    () => loader.close(),
    endRoom,
    effect(() => {
      if (store.connection.value === "live") frames.retry();
    }),
    watchLooking(studio),
    watchWorkTime(studio),
    followLinks(studio),
    watchJobs(studio),
    watchKeys(store),
    watchAsked(studio),
    watchScores(store),
    loadOlderRounds(store),
    watchView(studio),
  ];
}

/** Tells the other people on this video which frame is in view, at most every LOOKING_EVERY ms. */
function watchLooking({ store, socket }: Studio): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = effect(() => {
    store.frame.value;
    if (store.connection.value !== "live" || timer) return;
    timer = setTimeout(() => {
      timer = undefined;
      socket.send({ type: "looking", frame: store.frame.peek() });
    }, LOOKING_EVERY);
  });
  return () => {
    clearTimeout(timer);
    end();
  };
}

function restoreView(store: Store, stage: Stage): void {
  const kept = recall(store.id);
  if (!kept) return;
  batch(() => {
    if (kept.settings) store.view.value = kept.settings;
    if (typeof kept.frame === "number") store.frame.value = kept.frame;
    if (typeof kept.selected === "number") store.selected.value = kept.selected;
    if (typeof kept.engine === "string") store.engine.value = kept.engine;
  });
  if (typeof kept.zoom === "number")
    stage.place({ zoom: kept.zoom, centre: framePoint(kept.centerX ?? 0, kept.centerY ?? 0) });
}

function watchView({ store, stage }: Studio): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = () => {
    timer = undefined;
    const { zoom, centre } = stage.placed();
    remember(store.id, {
      frame: store.frame.peek(),
      zoom,
      centerX: centre.x,
      centerY: centre.y,
      selected: store.selected.peek(),
      engine: store.engine.peek(),
      settings: store.view.peek(),
    });
  };
  const end = effect(() => {
    stage.placed();
    for (const follow of [store.frame, store.selected, store.engine, store.view]) follow.value;
    if (store.video.value && !timer) timer = setTimeout(write, REMEMBER_AFTER);
  });
  const leave = () => {
    if (store.video.peek()) write();
  };
  addEventListener("pagehide", leave);
  return () => {
    removeEventListener("pagehide", leave);
    if (timer) clearTimeout(timer);
    leave();
    end();
  };
}

function refused(outbox: Outbox, message: Refusal): void {
  if (!outbox.refusedBy(message)) toast({ text: message.text, tone: "bad" });
}
