/** Which round the video stands at: undo, redo, going back to any round; and frames that are accepted. */
import { newKey } from "../connection/key";
import { toastError } from "../parts/Toast";
import { branches, isActive } from "../state/line";
import type { Opened } from "../studio/open";

/** Moves the head for everybody. A round that still runs on it is stopped first: it would go on for nothing. */
export function moveHead({ store, outbox }: Opened, to: number | null): void {
  const from = store.head.peek();
  if (from === to) return;
  const running = from === null ? undefined : store.rounds.peek().get(from);
  if (running && isActive(running) && !running.cancel_requested)
    outbox.send({ type: "round.cancel", key: newKey(), round: running.id }).catch(toastError);
  store.looking.value = null;
  outbox.send({ type: "head.move", key: newKey(), from_round: from, to_round: to }).catch(toastError);
}

/** The round before the head, undefined when there is no head to leave. */
export function roundBack({ store }: Opened): number | null | undefined {
  const head = store.head.value;
  return head === null ? undefined : (store.rounds.value.get(head)?.base ?? null);
}

/** The newest round that was made from the head, undefined when there is none. */
export function roundForward({ store }: Opened): number | undefined {
  return branches(store.rounds.value, store.head.value)[0]?.id;
}

/** Shows the masks of `round` without moving the head; null or the head itself = back to the head. */
export function lookAt({ store }: Opened, round: number | null): void {
  store.looking.value = round === store.head.peek() ? null : round;
}

/** Accepts the mask of `frame`, or releases it. */
export function accept({ store, outbox }: Opened, frame: number): void {
  const accepted = !store.accepted.peek().has(frame);
  outbox.send({ type: "frame.accept", key: newKey(), frame, accepted }).catch(toastError);
}
