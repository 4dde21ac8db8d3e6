/** For tests: an open studio whose server is the test. */
import type { Signal } from "@preact/signals";
import { signal } from "@preact/signals";
import type { Engine } from "../api/types";
import { FrameCache } from "../canvas/frames";
import { Stage } from "../canvas/stage";
import { Outbox } from "../connection/outbox";
import type { Keyed } from "../connection/outboxStorage";
import { Socket } from "../connection/socket";
import { PROTOCOL_VERSION, type RoundInfo, type State, type Welcome } from "../protocol";
import { reduce } from "../state/reduce";
import { createStore } from "../state/store";
import { UndoHistory } from "../state/undoHistory";
import type { Studio } from "../studio/studio";
import { createCommands } from "./commands";
import { restored, settled as settleRestored } from "./welcome";

export const ANN = { id: 1, name: "Ann" };
export const BEN = { id: 2, name: "Ben" };

export function round(given: Partial<RoundInfo> & { id: number }): RoundInfo {
  return {
    number: given.id,
    author: ANN,
    origin: "round",
    frame: 0,
    drawn: [given.frame ?? 0],
    scribbles: [],
    span: null,
    direction: "both",
    objects: null,
    edit: null,
    source: "",
    engine: "flow",
    weights: "",
    base: null,
    state: "done",
    cancel_requested: false,
    done: 0,
    total: 10,
    seconds: null,
    error: "",
    created_at: "2026-01-01T00:00:00Z",
    frames: [[0, 9]],
    ...given,
  };
}

export function state(given: Partial<State> = {}): State {
  return {
    video: {
      id: 5,
      project: 3,
      project_name: "Reel",
      name: "clip.mp4",
      width: 100,
      height: 50,
      frame_count: 10,
      fps: 24,
      pixel_aspect: 1,
      engine: "flow",
      note: "",
      truth_frames: [],
    },
    objects: [
      { number: 1, name: "rider", color: "#ff0000", label: null, deleted: false, locked: false, position: 1 },
      { number: 2, name: "bike", color: "#00ff00", label: null, deleted: false, locked: false, position: 2 },
    ],
    scribbles: [],
    rounds: [],
    older: null,
    head: null,
    pins: [],
    accepted: {},
    accepted_objects: {},
    absent: {},
    cuts: [],
    seconds: {},
    seq: 1,
    mask_seq: 0,
    ...given,
  };
}

export function welcomeOf(given: Partial<Welcome> = {}): Welcome {
  const worker = { alive: true, device: "cpu", text: "Computing on cpu" };
  const version = PROTOCOL_VERSION;
  return { type: "welcome", version, you: ANN, role: "annotator", state: null, worker, ...given };
}

export interface FakeStudio extends Studio {
  /** The messages that were sent, in order. */
  sent: Keyed[];
  online: Signal<boolean>;
  /** Acknowledges the newest message of `type`. */
  ack(type: Keyed["type"], result?: number | null): Promise<void>;
  refuse(type: Keyed["type"], code: string, head?: number | null): Promise<void>;
}

export function fakeStudio(given: Partial<State> = {}): FakeStudio {
  const store = createStore(5);
  const sent: Keyed[] = [];
  const online = signal(true);
  const outbox = new Outbox({
    video: 5,
    post: (message) => {
      if (online.peek()) sent.push(message);
      return online.peek();
    },
    restored: (message, expected) => restored(store, message, expected),
    settled: (message, outcome, expected) => settleRestored(studio, message, outcome, expected),
    unkept: () => {},
  });
  const socket = new Socket({ url: "ws://test", events: {} as never });
  const engines = signal<readonly Engine[]>([]);
  const parts = {
    store,
    outbox,
    socket,
    history: new UndoHistory(),
    stage: new Stage(),
    frames: new FrameCache(5),
    engines,
  };
  const studio: Studio = { ...parts, commands: [], close: () => {} };
  Object.assign(studio, { commands: createCommands(studio) });
  reduce(store, welcomeOf({ state: state(given) }));
  store.connection.value = "live";
  const newest = (type: Keyed["type"]): string => {
    const message = sent.findLast((other) => other.type === type);
    if (!message) throw new Error(`No ${type} was sent; there were: ${sent.map((other) => other.type)}`);
    return message.key;
  };
  return Object.assign(studio, {
    sent,
    online,
    ack: async (type: Keyed["type"], result: number | null = null) => {
      outbox.acknowledged({ type: "ack", key: newest(type), result });
      await settled();
    },
    refuse: async (type: Keyed["type"], code: string, head: number | null = null) => {
      outbox.refusedBy({ type: "error", code, text: `refused: ${code}`, key: newest(type), head });
      await settled();
    },
  });
}

/** Waits until all promises that are already resolved have run. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}
