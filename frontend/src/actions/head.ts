/** Moving the head (undo, redo, going back to a round), looking at a round, and accepting frames. */
import { newKey } from "../connection/key";
import { Refused } from "../connection/outbox";
import { toastError } from "../parts/Toast";
import { branches } from "../state/line";
import type { Studio } from "../studio/studio";

/** Moves the head for everybody. The server stops a running round that is not on the new line. */
export function moveHead({ store, outbox }: Studio, to: number | null): void {
  const from = store.head.peek();
  store.looking.value = null;
  if (from === to) return;
  outbox.send({ type: "head.move", key: newKey(), from_round: from, to_round: to }).catch((problem) => {
    if (problem instanceof Refused && problem.code === "conflict") store.head.value = problem.head;
    toastError(problem);
  });
}

/** Returns the base of the head, null if the head is the first round, undefined if there is no head. */
export function roundBack({ store }: Studio): number | null | undefined {
  const head = store.head.value;
  return head === null ? undefined : (store.rounds.value.get(head)?.base ?? null);
}

/** Returns the newest round whose base is the head, undefined if there is none. */
export function roundForward({ store }: Studio): number | undefined {
  // A round that ended before its first mask has nothing to show.
  return branches(store.rounds.value, store.head.value).find((round) => round.frames.length > 0)?.id;
}

/** Shows the masks of `round` without moving the head. Null, or the head itself, shows the head again. */
export function lookAt({ store }: Studio, round: number | null): void {
  store.looking.value = round === store.head.peek() ? null : round;
}

/**
 * Returns the round whose mask `frame` shows, which can be accepted or released.
 * An effect that calls it runs again on a change.
 */
export function acceptable({ store }: Studio, frame: number): number | null {
  const kept = store.accepted.value.get(frame);
  const summary = store.summaries.value[frame];
  return kept ?? (summary?.loaded ? summary.round : null); // A mask that is not loaded has not been looked at.
}

/** Accepts or releases the masks of the frames from `first` to `last` (inclusive), in one step. */
export function acceptSpan(studio: Studio, first: number, last: number, accepted: boolean): void {
  const { store, socket, outbox } = studio;
  const head = store.looking.peek() ?? store.head.peek();
  const seen = socket.newestMask;
  outbox.send({ type: "frames.accept", key: newKey(), first, last, accepted, head, seen }).catch(toastError);
}
