/**
 * Measures how long this person works on each object, and sends it. Time without any input counts as work only up to
 * IDLE_AFTER; a longer pause is left out completely. Playback counts as work, because a person watches it.
 */
import { effect } from "@preact/signals";
import { newKey } from "../connection/key";
import type { Store } from "../state/store";
import type { Studio } from "../studio/studio";

export const IDLE_AFTER = 30_000; // ms without input from which on a person is not working
export const SEND_AFTER = 20; // seconds of work on an object that are sent in one message
const MOST = 120; // seconds in one message, the server's limit

/** Adds up work. Times are in ms of one clock. Object 0 stands for no selected object. */
export class WorkTimer {
  private readonly seconds = new Map<number, number>();
  private last: number | null = null;

  /** Counts the time since the last call as work on `object`, unless it was a pause. `watching`: it was no pause. */
  active(now: number, object: number, watching = false): void {
    const since = this.last === null ? 0 : now - this.last;
    this.last = now;
    if (since <= 0 || (since > IDLE_AFTER && !watching)) return;
    this.seconds.set(object, (this.seconds.get(object) ?? 0) + since / 1000);
  }

  /** Ends the present piece of work: the time until the next call of `active` counts as a pause. */
  pause(): void {
    this.last = null;
  }

  /** Returns and forgets the seconds of the objects that have at least `least` of them. */
  take(least = 0): [object: number, seconds: number][] {
    const taken = [...this.seconds].filter(([, seconds]) => seconds >= least && seconds > 0);
    for (const [object] of taken) this.seconds.delete(object);
    return taken;
  }
}

const INPUTS = ["pointerdown", "pointermove", "keydown", "wheel"] as const;

/** Measures until the returned function is called. People who may not change the video are not measured. */
export function watchWorkTime(studio: Studio): () => void {
  const { store } = studio;
  const timer = new WorkTimer();
  let object = workedOn(store);
  let watching = store.playing.peek();
  const note = (): void => {
    if (store.canDraw.peek() && !document.hidden) timer.active(performance.now(), object, watching);
  };
  const noteAndSend = (): void => {
    note();
    if (store.connection.peek() === "live") send(studio, timer.take(SEND_AFTER));
  };
  const leave = (): void => {
    note();
    send(studio, timer.take());
  };
  const hidden = (): void => {
    if (!document.hidden) return;
    if (store.canDraw.peek()) timer.active(performance.now(), object, watching);
    timer.pause();
    send(studio, timer.take());
  };
  const end = effect(() => {
    const now = workedOn(store);
    const plays = store.playing.value;
    note(); // for the object that was selected until now
    [object, watching] = [now, plays];
  });
  for (const input of INPUTS) addEventListener(input, noteAndSend, { capture: true, passive: true });
  addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", hidden);
  return () => {
    end();
    leave();
    for (const input of INPUTS) removeEventListener(input, noteAndSend, { capture: true });
    removeEventListener("pagehide", leave);
    document.removeEventListener("visibilitychange", hidden);
  };
}

/** Returns the selected object, 0 if there is none. An effect that calls it runs again on a change. */
function workedOn({ selected, alive }: Store): number {
  return alive.value.some(({ number }) => number === selected.value) ? selected.value : 0;
}

function send({ store, outbox }: Studio, taken: readonly [object: number, seconds: number][]): void {
  if (taken.length === 0) return;
  const sums = new Map(store.seconds.peek());
  for (const [object, seconds] of taken) {
    sums.set(object, (sums.get(object) ?? 0) + seconds);
    for (let left = seconds; left > 0.05; left -= MOST)
      outbox
        .send({
          type: "time.spent",
          key: newKey(),
          object,
          seconds: Math.round(Math.min(left, MOST) * 10) / 10,
        })
        .catch((problem) => console.warn("The time of work was not stored:", problem));
  }
  store.seconds.value = sums;
}
