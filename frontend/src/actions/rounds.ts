/**
 * Running rounds. Strokes may wait on several frames: they run one after another, the frame one is on first. A round of
 * one's own that runs gives way to the next (the server supersedes it); somebody else's is waited for.
 */
import { effect, signal } from "@preact/signals";
import { newKey } from "../connection/key";
import { Refused } from "../connection/outbox";
import { toast, toastError } from "../parts/Toast";
import type { RoundInfo } from "../protocol";
import type { Waiting } from "../state/store";
import type { Opened } from "../studio/open";
import { moveHead } from "./head";
import { draw } from "./strokes";

// A base can be older than the head a few times in a row when two people are quick; more often something is wrong.
const MOST_CONFLICTS = 3;
// The log follows an acknowledgement within a few milliseconds; somebody else may have moved the head on by then.
const LOG_WITHIN = 2000; // ms

/** Frames with strokes of one's own, the one in view first, then ascending. */
export function framesToRun({ store }: Opened): number[] {
  const frames = [...new Set(store.mine.value.map((stroke) => stroke.frame))].sort((a, b) => a - b);
  const at = store.frame.value;
  return frames.includes(at) ? [at, ...frames.filter((frame) => frame !== at)] : frames;
}

/** Runs all frames that have strokes, or `only` one. Says what happens where it is not plain to see. */
export function run(studio: Opened, only?: number): void {
  const { store } = studio;
  const frames = only === undefined ? framesToRun(studio) : [only];
  const first = frames[0];
  if (first === undefined) {
    toast({ text: "Draw a scribble first: on the object, or on what is not the object." });
    return;
  }
  const active = store.active.peek();
  const theirs = active !== null && active.author.id !== store.you.peek()?.id;
  if (theirs)
    toast({ text: `Round ${active.number} of ${active.author.name} is running. Yours follows it.` });
  else if (frames.length > 1)
    toast({ text: `${frames.length} frames have strokes. They run one after another: ${list(frames)}.` });
  const rest = store.queue.peek().filter((item) => !frames.includes(item.frame));
  const wanted = frames.map((frame, index) => ({ frame, urgent: index === 0 && !theirs }));
  store.queue.value = [...wanted, ...rest];
}

/** Stops the running round and forgets what waits behind it. Masks that it made stay. */
export function cancel({ store, outbox }: Opened): void {
  store.queue.value = [];
  const active = store.active.peek();
  if (!active || active.cancel_requested) return;
  outbox.send({ type: "round.cancel", key: newKey(), round: active.id }).catch(toastError);
}

/** Runs a failed round's interaction again. Its strokes wait anew; where they do not, they are drawn anew. */
export function retry(studio: Opened, round: RoundInfo): void {
  const waits = studio.store.mine.peek().some((stroke) => stroke.frame === round.frame);
  if (!waits) for (const { object_id, path } of round.scribbles) draw(studio, round.frame, object_id, path);
  run(studio, round.frame);
}

/** Starts what waits in `store.queue` as soon as it may. Returns the end of it. */
export function watchQueue(studio: Opened): () => void {
  const { store } = studio;
  let starting = false;
  // The round that was acknowledged last, until the log says that the video stands at it: before, the head that the page
  // shows is that of yesterday, and a run from it would be refused.
  const expected = signal<number | null>(null);
  let conflicts = 0;

  const start = (item: Waiting): void => {
    starting = true;
    store.queue.value = store.queue.peek().slice(1);
    const message = {
      type: "round.run",
      key: newKey(),
      frame: item.frame,
      engine: store.engine.peek(),
      base: store.head.peek(),
    } as const;
    studio.outbox.send(message).then(
      ({ result }) => {
        conflicts = 0;
        if (result !== null) {
          started(studio, result);
          expect(result);
        }
        release();
      },
      (problem) => {
        refused(studio, item, problem, ++conflicts);
        release();
      },
    );
  };
  const expect = (round: number): void => {
    if (store.head.peek() === round) return;
    expected.value = round;
    setTimeout(() => {
      if (expected.peek() === round) expected.value = null;
    }, LOG_WITHIN);
  };
  const release = (): void => {
    starting = false;
    pump();
  };
  const pump = (): void => {
    const item = store.queue.value[0];
    const active = store.active.value;
    if (expected.value !== null && expected.value === store.head.value) expected.value = null;
    if (!item || starting || expected.value !== null || store.connection.value !== "live") return;
    const own = active?.author.id === store.you.value?.id;
    if (active && !(item.urgent && own)) return;
    if (!store.mine.peek().some((stroke) => stroke.frame === item.frame)) {
      store.queue.value = store.queue.peek().slice(1); // taken back meanwhile
      return;
    }
    start(item);
  };
  return effect(pump);
}

function started(studio: Opened, round: number): void {
  const { store } = studio;
  studio.history.push({
    name: "round",
    undoable: () => store.head.value === round,
    undo: () => moveHead(studio, store.rounds.peek().get(round)?.base ?? null),
    redoable: () => store.rounds.value.has(round) && store.head.value === store.rounds.value.get(round)?.base,
    redo: () => moveHead(studio, round),
  });
}

function refused(studio: Opened, item: Waiting, problem: unknown, conflicts: number): void {
  const { store } = studio;
  if (!(problem instanceof Refused) || problem.code !== "conflict") {
    toastError(problem);
    return;
  }
  store.head.value = problem.head;
  if (conflicts >= MOST_CONFLICTS) {
    toast({
      text: "The video changed again and again meanwhile. Your strokes are kept: press Run to try once more.",
      tone: "bad",
    });
    return;
  }
  store.queue.value = [{ frame: item.frame, urgent: false }, ...store.queue.peek()];
  const other = problem.head === null ? undefined : store.rounds.peek().get(problem.head);
  const who = other ? `${other.author.name} ran round ${other.number}` : "Somebody changed the video";
  toast({ text: `${who} while you were drawing. Your strokes are kept and run on top of it.` });
}

function list(frames: number[]): string {
  const shown = frames.slice(0, 4).join(", ");
  return frames.length > 4 ? `${shown}, …` : shown;
}
