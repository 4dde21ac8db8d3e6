/** Moving through frames: by steps, to a frame, and by playing a range at a chosen rate. */
import { effect } from "@preact/signals";
import type { Range } from "../state/ranges";
import type { Studio } from "../studio/studio";

const STILLS = 10; // frames per second for videos without a rate, e.g. a zip of images

/** Goes to `frame`, or to the nearest frame that exists. Stops playback unless playback itself calls it. */
export function seek({ store }: Studio, frame: number, keepPlaying = false): void {
  const last = (store.video.peek()?.frame_count ?? 1) - 1;
  if (!keepPlaying) store.playing.value = false;
  store.frame.value = Math.max(0, Math.min(last, Math.round(frame)));
}

export function step(studio: Studio, by: number): void {
  seek(studio, studio.store.frame.peek() + by);
}

/** Returns the frames that playback goes through: the selected span if it has several frames, else all. */
export function playedRange({ store }: Studio): Range {
  const selected = store.selection.value;
  if (selected && selected[1] > selected[0]) return selected;
  return [0, (store.video.value?.frame_count ?? 1) - 1];
}

/** Returns the frame after `frame` in the range, null at its end. Frames outside lead to its beginning. */
export function nextFrame(frame: number, [first, last]: Range, loop: boolean): number | null {
  if (frame < first || frame > last) return first;
  if (frame < last) return frame + 1;
  return loop ? first : null;
}

export function togglePlay(studio: Studio): void {
  const { store } = studio;
  const range = playedRange(studio);
  const at = store.frame.peek();
  if (!store.playing.peek() && (at < range[0] || at >= range[1])) store.frame.value = range[0];
  store.playing.value = !store.playing.peek();
}

export const RATES = [0.25, 0.5, 1, 2, 4];

/** Chooses the next faster (1) or slower (-1) rate of playback. */
export function changeRate({ store }: Studio, by: -1 | 1): void {
  const at = RATES.indexOf(store.rate.peek()) + by;
  store.rate.value = RATES[Math.max(0, Math.min(RATES.length - 1, at))] ?? 1;
}

/**
 * Advances `store.frame` while `store.playing`, by elapsed time. The clock waits for frames that are not loaded, so
 * that a slow connection shows every frame late instead of few frames in time.
 */
export function watchPlaying(studio: Studio, loaded: (frame: number) => boolean): () => void {
  const { store } = studio;
  let request = 0;
  const end = effect(() => {
    cancelAnimationFrame(request);
    const video = store.video.value;
    const rate = store.rate.value;
    const loop = store.loop.value;
    if (!store.playing.value || !video) return;
    const range = playedRange(studio);
    let before = performance.now();
    let due = 0; // frames to advance, with a fraction
    const tick = (now: number) => {
      request = requestAnimationFrame(tick);
      due += ((now - before) * (video.fps || STILLS) * rate) / 1000;
      before = now;
      let at = store.frame.peek();
      while (due >= 1) {
        const next = nextFrame(at, range, loop);
        if (next === null) {
          store.playing.value = false;
          break;
        }
        if (!loaded(next)) {
          due = 0;
          break;
        }
        at = next;
        due -= 1;
      }
      if (at !== store.frame.peek()) seek(studio, at, true);
    };
    request = requestAnimationFrame(tick);
  });
  return () => {
    cancelAnimationFrame(request);
    end();
  };
}
