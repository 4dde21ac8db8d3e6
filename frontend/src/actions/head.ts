/** Which round the video stands at: undo, redo, going back to any round; and frames that are accepted. */
import { newKey } from "../connection/key";
import { Refused } from "../connection/outbox";
import { toastError } from "../parts/Toast";
import { branches } from "../state/line";
import type { Studio } from "../studio/studio";

/** Moves the head for everybody. A round that still runs and is then beside the line is stopped by the server. */
export function moveHead({ store, outbox }: Studio, to: number | null): void {
  const from = store.head.peek();
  store.looking.value = null;
  if (from === to) return;
  outbox.send({ type: "head.move", key: newKey(), from_round: from, to_round: to }).catch((problem) => {
    if (problem instanceof Refused && problem.code === "conflict") store.head.value = problem.head;
    toastError(problem);
  });
}

/** The round before the head, undefined when there is no head to leave. */
export function roundBack({ store }: Studio): number | null | undefined {
  const head = store.head.value;
  return head === null ? undefined : (store.rounds.value.get(head)?.base ?? null);
}

/** The newest round that was made from the head, undefined when there is none. */
export function roundForward({ store }: Studio): number | undefined {
  // A round that ended before its first mask is nothing to go to.
  return branches(store.rounds.value, store.head.value).find((round) => round.frames.length > 0)?.id;
}

/** Shows the masks of `round` without moving the head; null or the head itself = back to the head. */
export function lookAt({ store }: Studio, round: number | null): void {
  store.looking.value = round === store.head.peek() ? null : round;
}

/** The round whose mask `frame` shows, and so could be accepted or released. Reads signals. */
export function acceptable({ store }: Studio, frame: number): number | null {
  const kept = store.accepted.value.get(frame);
  const fact = store.facts.value[frame];
  return kept ?? (fact?.loaded ? fact.round : null); // what is not here yet nobody has looked at
}

/** Accepts the mask of `frame`, or releases it: the one that is shown, and no other that came meanwhile. */
export function accept(studio: Studio, frame: number): void {
  const round = acceptable(studio, frame);
  if (round === null) return;
  const accepted = !studio.store.accepted.peek().has(frame);
  studio.outbox.send({ type: "frame.accept", key: newKey(), frame, round, accepted }).catch(toastError);
}
