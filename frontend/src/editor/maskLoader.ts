/**
 * Loads masks over HTTP, by round and range of frames, those nearest to the frame in view first, until all are
 * loaded.
 */
import { effect, untracked } from "@preact/signals";
import { request, urlOf } from "../api/http";
import { readContainer } from "../masks/decode";
import type { FrameSummary } from "../state/frameSummary";
import type { Store } from "../state/store";

export const STRETCH = 100; // frames in a request, about 200 kB at 480p
const AT_ONCE = 3;
// The socket may announce frames of a round shortly before their masks arrive. HTTP is used only after this time.
const SOCKET_WITHIN = 600; // ms
const AGAIN_AFTER = 2500; // ms before the next try, after an answer that failed or lacked masks
const MOST_TRIES = 4;

export interface Stretch {
  round: number;
  first: number;
  last: number;
}

/** Returns the ranges that contain masks which exist but are not loaded, by their distance from the frame `at`. */
export function missingStretches(summaries: readonly FrameSummary[], at: number): Stretch[] {
  const found = new Map<string, Stretch & { distance: number }>();
  for (let frame = 0; frame < summaries.length; frame++) {
    const summary = summaries[frame] as FrameSummary;
    if (summary.round === null || summary.loaded) continue;
    const part = Math.floor(frame / STRETCH);
    const name = `${summary.round}/${part}`;
    const distance = Math.abs(frame - at);
    const known = found.get(name);
    if (known) known.distance = Math.min(known.distance, distance);
    else
      found.set(name, {
        round: summary.round,
        first: part * STRETCH,
        last: (part + 1) * STRETCH - 1,
        distance,
      });
  }
  return [...found.values()].sort((a, b) => a.distance - b.distance);
}

interface Try {
  busy: boolean;
  count: number;
  notBefore: number;
}

export class MaskLoader {
  private readonly tries = new Map<string, Try>();
  private running = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly ends: (() => void)[];
  private readonly abort = new AbortController();

  constructor(private readonly store: Store) {
    this.ends = [
      effect(() => this.follow()),
      effect(() => {
        // Untracked, because otherwise each progress message would restart the wait for the socket.
        if (store.connection.value === "live") untracked(() => this.retry());
      }),
    ];
  }

  close(): void {
    for (const end of this.ends) end();
    clearTimeout(this.timer);
    this.abort.abort();
  }

  /** Runs as an effect: it follows the frame in view, the head, the rounds and the masks that have arrived. */
  private follow(): void {
    const { store } = this;
    const at = store.frame.value;
    const missing = missingStretches(store.summaries.value, at);
    if (store.view.value.mode === "changes")
      missing.push(...missingStretches(store.summariesBefore.value, at));
    const now = performance.now();
    let soonest = Number.POSITIVE_INFINITY;
    for (const stretch of missing) {
      if (this.running >= AT_ONCE) return;
      const state = this.tryOf(stretch, now);
      if (state.busy || state.count >= MOST_TRIES || this.complete(stretch)) continue;
      if (state.notBefore > now) soonest = Math.min(soonest, state.notBefore - now);
      else void this.load(stretch, state);
    }
    clearTimeout(this.timer);
    if (soonest < Number.POSITIVE_INFINITY) this.timer = setTimeout(() => this.follow(), soonest);
  }

  private tryOf(stretch: Stretch, now: number): Try {
    const name = `${stretch.round}/${stretch.first}`;
    let state = this.tries.get(name);
    if (!state) {
      const streams = this.store.masks.streamed.has(stretch.round);
      state = { busy: false, count: 0, notBefore: streams ? now + SOCKET_WITHIN : now };
      this.tries.set(name, state);
    }
    return state;
  }

  private async load(stretch: Stretch, state: Try): Promise<void> {
    state.busy = true;
    this.running++;
    const url = urlOf("/api/rounds/{round_id}/masks", { round_id: stretch.round });
    const query = `first=${stretch.first}&last=${stretch.last}`;
    try {
      const answer = await request(`${url}?${query}`, {
        signal: this.abort.signal,
      });
      this.store.masks.add(readContainer(new Uint8Array(await answer.arrayBuffer())));
    } catch (problem) {
      if (this.abort.signal.aborted) return;
      // The timeline shows the mask as missing. It is requested again below and after a reconnect.
      console.warn(`Masks of round ${stretch.round} did not come:`, problem);
    }
    state.busy = false;
    // Loaded masks may be evicted and needed again, so tries are counted only while masks are missing.
    if (this.complete(stretch)) this.tries.delete(`${stretch.round}/${stretch.first}`);
    state.count++;
    state.notBefore = performance.now() + AGAIN_AFTER;
    this.running--;
    this.follow();
  }

  /** Whether all masks of the range are loaded. The summaries may follow a moment later. */
  private complete({ round, first, last }: Stretch): boolean {
    const { rounds, masks, summaries, summariesBefore } = this.store;
    const known = rounds.peek().get(round);
    if (!known) {
      // Of a round that is not loaded, the frames that show it are known.
      for (const shown of [summaries.peek(), summariesBefore.peek()])
        for (let frame = first; frame <= Math.min(last, shown.length - 1); frame++)
          if (shown[frame]?.round === round && !masks.has(round, frame)) return false;
      return true;
    }
    for (const [from, to] of known.frames)
      for (let frame = Math.max(from, first); frame <= Math.min(to, last); frame++)
        if (!masks.has(round, frame)) return false;
    return true;
  }

  private retry(): void {
    for (const [name, state] of this.tries) if (!state.busy) this.tries.delete(name);
    this.follow();
  }
}
