/**
 * Running rounds. Strokes may wait on several frames: they run one after another, the frame one is on first. A round of
 * one's own that runs gives way to the next (the server supersedes it); somebody else's is waited for.
 */
import { newKey } from "../connection/key";
import { toast, toastError } from "../parts/Toast";
import type { RoundInfo } from "../protocol";
import type { Studio } from "../studio/studio";
import { draw } from "./strokes";

/** Frames with strokes of one's own, the one in view first, then ascending. */
export function framesToRun({ store }: Studio): number[] {
  const frames = [...new Set(store.mine.value.map((stroke) => stroke.frame))].sort((a, b) => a - b);
  const at = store.frame.value;
  return frames.includes(at) ? [at, ...frames.filter((frame) => frame !== at)] : frames;
}

/** Runs all frames that have strokes, or `only` one. Says what happens where it is not plain to see. */
export function run(studio: Studio, only?: number): void {
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
export function cancel({ store, outbox }: Studio): void {
  store.queue.value = [];
  const active = store.active.peek();
  if (!active || active.cancel_requested) return;
  outbox.send({ type: "round.cancel", key: newKey(), round: active.id }).catch(toastError);
}

/** Runs a failed round's interaction again. Its strokes wait anew; where they do not, they are drawn anew. */
export function retry(studio: Studio, round: RoundInfo): void {
  const waits = studio.store.mine.peek().some((stroke) => stroke.frame === round.frame);
  if (!waits) for (const { object_id, path } of round.scribbles) draw(studio, round.frame, object_id, path);
  run(studio, round.frame);
}

function list(frames: number[]): string {
  const shown = frames.slice(0, 4).join(", ");
  return frames.length > 4 ? `${shown}, …` : shown;
}
