/** Moving the head (undo, redo, going back to a round), looking at a round, and accepting frames. */
import { effect } from "@preact/signals";
import { newKey } from "../connection/key";
import { Refused } from "../connection/outbox";
import { toastError } from "../parts/Toast";
import type { RoundInfo } from "../protocol";
import { baseOf, isActive, missesAhead, redoTarget } from "../state/line";
import type { Range } from "../state/ranges";
import type { Store } from "../state/store";
import type { Studio } from "../studio/studio";

// A round follows its acknowledgement, or the request for it, within milliseconds. Nothing waits for it longer than this.
export const ARRIVES_WITHIN = 3000; // ms

/**
 * Moves the head for everybody. The server stops a running round that is not on the new line. Resolves to false if that is
 * refused; to true once the head has moved, or if the move has to wait for the connection. A move by somebody else is no answer.
 */
export function moveHead({ store, outbox }: Studio, to: number | null): Promise<boolean> {
  const from = store.head.peek();
  store.looking.value = null;
  if (from === to) return Promise.resolve(true);
  return new Promise((resolve) => {
    const end = effect(() => {
      if (store.head.value === to || store.connection.value !== "live") queueMicrotask(() => settle(true));
    });
    function settle(moved: boolean): void {
      end();
      resolve(moved);
    }
    outbox.send({ type: "head.move", key: newKey(), from_round: from, to_round: to }).then(
      () => {
        if (store.head.peek() !== from) settle(true);
        else setTimeout(() => settle(true), ARRIVES_WITHIN);
      },
      (problem) => {
        if (problem instanceof Refused && problem.code === "conflict") store.head.value = problem.head;
        toastError(problem);
        settle(false);
      },
    );
  });
}

/** Returns the base of the head, null if the head is the first round, undefined if there is no head or it is not loaded. */
export function roundBack({ store }: Studio): number | null | undefined {
  return baseOf(store.rounds.value, store.head.value);
}

/** Returns the newest round whose base is the head, undefined if there is none or not all of them are known yet. */
export function roundForward({ store }: Studio): number | undefined {
  const [head, lines] = [store.head.value, store.lines.value];
  if (missesAhead(store.older.value?.before ?? 0, head, lines)) return undefined;
  return redoTarget(store.rounds.value, head, lines);
}

/** What undo and redo of a step need that made a version: both move the head, as long as nothing else has moved it. */
export function headStep(studio: Studio, made: number) {
  const { store, history } = studio;
  const base = (): number | null | undefined => baseOf(store.rounds.value, made);
  const info = () => store.rounds.value.get(made);
  return {
    undoable: () => store.head.value === made,
    undo: () => history.waitFor(moveBackFrom(studio, made)),
    redoable: () => store.head.value === base() && !endedEmpty(info()),
    redo: () => history.waitFor(moveHead(studio, made)),
  };
}

/** Whether a version ended before it had a mask, so that the head cannot go to it. */
function endedEmpty(version: RoundInfo | undefined): boolean {
  return version !== undefined && !isActive(version) && version.frames.length === 0;
}

/**
 * Undoes a version that the server has not acknowledged yet: once it has, the head is moved to the base of that version.
 * `answered` resolves to the id of the version, or to null if it was refused. Resolves to whether the version was undone,
 * and to true if the connection is lost.
 */
export function moveBackOnceMade(studio: Studio, answered: Promise<number | null>): Promise<boolean> {
  const moved = answered.then((version) => version === null || moveBackFrom(studio, version));
  return new Promise((resolve) => {
    const end = effect(() => {
      if (studio.store.connection.value !== "live") queueMicrotask(() => settle(true));
    });
    function settle(undone: boolean): void {
      end();
      resolve(undone);
    }
    void moved.then(settle);
  });
}

/**
 * Moves the head from `round` to its base, now or as soon as the page has that round and the head is there. Resolves to
 * whether it has moved, as `moveHead` does.
 */
export async function moveBackFrom(studio: Studio, round: number): Promise<boolean> {
  const { store } = studio;
  const base = baseOf(store.rounds.peek(), round);
  if (store.head.peek() === round && base !== undefined) return moveHead(studio, base);
  const to = await whenMovable(store, round);
  return to !== undefined && moveHead(studio, to);
}

/** Resolves to the base of `round` once it is the head and loaded; to undefined if that takes too long or the head leaves it. */
function whenMovable(store: Store, round: number): Promise<number | null | undefined> {
  const wasHead = store.head.peek() === round;
  return new Promise((resolve) => {
    const end = effect(() => {
      const isHead = store.head.value === round;
      const base = baseOf(store.rounds.value, round);
      if (isHead ? base !== undefined : wasHead) resolve(isHead ? base : undefined);
    });
    setTimeout(() => {
      end();
      resolve(undefined);
    }, ARRIVES_WITHIN);
  });
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

/**
 * Accepts or releases the masks of the frames from `first` to `last` (inclusive), in one step. What this person has just
 * painted there is accepted with its painted round, as soon as the page has that round. Calls `done` with the number of
 * frames that the server has accepted or released. Returns the key of the message.
 */
export function acceptSpan(
  studio: Studio,
  first: number,
  last: number,
  accepted: boolean,
  done = (_count: number) => {},
): string {
  const key = newKey();
  whenSeen(studio, [first, last], accepted, (head, seen) => {
    studio.outbox
      .send({ type: "frames.accept", key, first, last, accepted, head, seen })
      .then(({ result }) => done(result ?? 0), toastError);
  });
  return key;
}

/**
 * Calls `send` with the head and the newest mask that this person has seen. With `withPaintings` they have also seen what
 * they have just painted in the span: it is called once the page has the painted rounds.
 */
export function whenSeen(
  { store, socket }: Studio,
  [first, last]: Range,
  withPaintings: boolean,
  send: (head: number | null, seen: number) => void,
): void {
  const looking = store.looking.peek();
  const seenHead = looking ?? store.head.peek();
  const seenMask = socket.newestMask;
  const inSpan = ({ frame }: { frame: number }) => first <= frame && frame <= last;
  const paintings = looking === null && withPaintings ? store.paintings.peek().filter(inSpan) : [];
  if (paintings.length === 0) {
    send(seenHead, seenMask);
    return;
  }
  whenHere(store, new Set(paintings.map(({ key }) => key)), (rounds) => {
    const head = store.head.peek();
    if (rounds.size === 0) return; // The paintings were refused, which a toast has said, or taken back.
    if (head !== null && rounds.has(head)) send(head, socket.newestMask);
    else send(seenHead, seenMask); // Another round came meanwhile, whose masks nobody has looked at: the server refuses.
  });
}

/** Calls `then` with the painted rounds of the paintings `keys`, once none of these paintings waits for its round. */
function whenHere(store: Store, keys: Set<string>, then: (rounds: Set<number>) => void): void {
  const rounds = new Set<number>();
  let ended = false;
  const end = effect(() => {
    const waiting = store.paintings.value.filter(({ key }) => keys.has(key));
    for (const { round } of waiting) if (round !== null) rounds.add(round);
    if (waiting.length > 0 || ended) return;
    ended = true;
    queueMicrotask(() => {
      end();
      then(rounds);
    });
  });
}
