/**
 * Running rounds. All frames with waiting scribbles are drawn frames of one round. It supersedes a running round of the
 * same person, and waits for a round of another person.
 */
import { newKey } from "../connection/key";
import { toast, toastError } from "../parts/Toast";
import type { RoundInfo } from "../protocol";
import type { Studio } from "../studio/studio";
import { drawAgain } from "./scribbles";

/** Returns the frames with waiting scribbles of this person: the frame in view first, then in ascending order. */
export function framesToRun({ store }: Studio): number[] {
  const frames = [...new Set(store.mine.value.map((scribble) => scribble.frame))].sort((a, b) => a - b);
  const at = store.frame.value;
  return frames.includes(at) ? [at, ...frames.filter((frame) => frame !== at)] : frames;
}

/** Runs one round for all frames with scribbles, or for the frame `only`. A toast explains what is not visible. */
export function run(studio: Studio, only?: number): void {
  const { store } = studio;
  const frames = only === undefined ? framesToRun(studio) : [only];
  const first = frames[0];
  if (first === undefined) {
    toast({ text: "Draw a scribble first: on an object, or on the background." });
    return;
  }
  const active = store.active.peek();
  const theirs = active !== null && active.author.id !== store.you.peek()?.id;
  if (theirs)
    toast({ text: `Round ${active.number} of ${active.author.name} is running. Yours starts after it.` });
  const rest = store.queue.peek().filter((item) => !item.frames.every((frame) => frames.includes(frame)));
  store.queue.value = [{ frames, urgent: !theirs }, ...rest];
}

/** Cancels the running round and clears the queue. The masks that the round has computed stay. */
export function cancel({ store, outbox }: Studio): void {
  store.queue.value = [];
  const active = store.active.peek();
  if (!active || active.cancel_requested) return;
  outbox.send({ type: "round.cancel", key: newKey(), round: active.id }).catch(toastError);
}

/** Runs the interaction of a failed round again. Scribbles that no longer wait are drawn again first. */
export function retry(studio: Studio, round: RoundInfo): void {
  const waits = studio.store.mine.peek().some((scribble) => scribble.frame === round.frame);
  if (!waits) for (const scribble of round.scribbles) drawAgain(studio, scribble);
  run(studio, round.frame);
}
