/** Moving through frames: by steps, to a frame, and at the rate of the video. */
import { effect } from "@preact/signals";
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

export function togglePlay({ store }: Studio): void {
  const last = (store.video.peek()?.frame_count ?? 1) - 1;
  if (!store.playing.peek() && store.frame.peek() >= last) store.frame.value = 0;
  store.playing.value = !store.playing.peek();
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
    if (!store.playing.value || !video) return;
    let start = performance.now();
    let from = store.frame.peek();
    const tick = (now: number) => {
      request = requestAnimationFrame(tick);
      const at = store.frame.peek();
      const due = from + Math.floor(((now - start) * (video.fps || STILLS)) / 1000);
      if (due <= at) return;
      let next = at;
      while (next < due && next + 1 < video.frame_count && loaded(next + 1)) next++;
      if (next < due) {
        start = now;
        from = next;
      }
      if (next > at) seek(studio, next, true);
      if (next >= video.frame_count - 1) store.playing.value = false;
    };
    request = requestAnimationFrame(tick);
  });
  return () => {
    cancelAnimationFrame(request);
    end();
  };
}
