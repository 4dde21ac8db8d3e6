/** Moving through frames: by steps, by name, and at the video's rate. */
import { effect } from "@preact/signals";
import type { Studio } from "../studio/studio";

const STILLS = 10; // frames a second of a video that has no rate, e.g. a zip of pictures

/** Goes to `frame`, or to the nearest there is. Ends playing unless it is playing that moves. */
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
 * Advances `store.frame` while `store.playing`, by time and not by tick. A frame whose picture is not loaded yet holds
 * the clock, so that a slow line shows every frame late rather than few of them in time.
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
