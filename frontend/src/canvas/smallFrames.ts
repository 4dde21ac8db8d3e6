/**
 * Small pictures of all frames, loaded ahead when a large video is open. While one scrubs faster than frames can be
 * loaded, they stand in for the frames, so the picture is never far behind the timeline.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import { request, urlOf } from "../api/http";

const AT_ONCE = 2; // requests at the same time
const IN_REQUEST = 64; // pictures in one answer: about half a megabyte
const FIRST = 32; // pictures over the whole video that come first, at most
const DECODED_AT_ONCE = 4;
const NEAR = 2; // frames; while a scrub goes on, a picture of one that is near is enough
const MOST_BYTES = 160 * 1024 * 1024; // of decoded pictures: about 1,100 of 256 x 144
const HEAD = 8; // bytes before each JPEG of an answer: its frame and its size

/** The frames `first`, `first + step` and so on, up to `last`. */
export interface Series {
  first: number;
  last: number;
  step: number;
}

/**
 * Returns what is requested of a video with `count` frames: a few pictures over all of it, then at each level those in the
 * middle between the ones before, until no frame is left out. The parts of a level are in the order of frames.
 */
export function coarseFirst(count: number): Series[][] {
  if (count === 0) return [];
  let step = 1;
  while (count / step > FIRST) step *= 2;
  const levels = [partsOf(0, count, step)];
  for (; step > 1; step /= 2) levels.push(partsOf(step / 2, count, step));
  return levels.filter((parts) => parts.length > 0);
}

function partsOf(start: number, count: number, step: number): Series[] {
  const parts: Series[] = [];
  for (let first = start; first < count; first += step * IN_REQUEST)
    parts.push({ first, last: Math.min(count - 1, first + step * (IN_REQUEST - 1)), step });
  return parts;
}

/** Returns how far frame `at` is from a series, in frames: 0 within it. */
function distance({ first, last }: Series, at: number): number {
  return Math.max(0, first - at, at - last);
}

export interface SmallFrame {
  frame: number;
  bitmap: ImageBitmap;
}

export class SmallFrames {
  /** The frame in view. Pictures near it are requested and decoded first. */
  at = 0;
  private readonly bitmaps = new Map<number, ImageBitmap>();
  private readonly arrivals = signal(0);
  private readonly abort = new AbortController();
  private levels: Series[][] = [];
  private failed: Series[] = []; // what was requested in vain
  private farthest = 1; // frames between the pictures that are loaded first
  private begun = false;
  private ended = false;
  private bytes = 0;

  constructor(private readonly video: number) {}

  /** Increases whenever pictures were loaded. */
  get version(): ReadonlySignal<number> {
    return this.arrivals;
  }

  /** Whether all pictures that there is room for have been loaded. */
  get done(): boolean {
    return this.ended;
  }

  /** Returns the picture of `frame`, or of the nearest frame that has one and is at most `most` frames away. */
  get(frame: number, most = NEAR): SmallFrame | undefined {
    for (let away = 0; away <= most; away++)
      for (const near of [frame - away, frame + away]) {
        const bitmap = this.bitmaps.get(near);
        if (bitmap) return { frame: near, bitmap };
      }
    return undefined;
  }

  /** Returns the picture that is nearest to `frame` among those that are nearer to it than frame `shown` is. */
  nearer(frame: number, shown: number): SmallFrame | undefined {
    return this.get(frame, Math.min(this.farthest, Math.abs(frame - shown) - 1));
  }

  /**
   * Loads the pictures of a video with `count` frames, as many as there is room for. The first call returns a promise that
   * resolves when they are here, later calls return nothing.
   */
  load(count: number): Promise<void> | undefined {
    if (this.begun) return undefined;
    this.begun = true;
    this.levels = coarseFirst(count);
    this.farthest = this.levels[0]?.[0]?.step ?? 1;
    return this.loadLevels();
  }

  /** Requests again what has failed. It returns a promise that resolves when that is here, if nothing was being loaded. */
  retry(): Promise<void> | undefined {
    if (this.failed.length === 0) return undefined;
    this.levels.unshift(this.failed);
    this.failed = [];
    return this.ended ? this.loadLevels() : undefined;
  }

  private async loadLevels(): Promise<void> {
    this.ended = false;
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.work()));
    this.ended = true;
  }

  close(): void {
    this.abort.abort();
    for (const bitmap of this.bitmaps.values()) bitmap.close();
    this.bitmaps.clear();
  }

  /** Takes the part of the coarsest level that is nearest to the frame in view out of what is to be requested. */
  private take(): Series | undefined {
    const level = this.levels[0];
    if (!level) return undefined;
    const nearest = level.reduce((a, b) => (distance(b, this.at) < distance(a, this.at) ? b : a));
    level.splice(level.indexOf(nearest), 1);
    if (level.length === 0) this.levels.shift();
    return nearest;
  }

  private async work(): Promise<void> {
    for (let part = this.take(); part && this.bytes <= MOST_BYTES; part = this.take()) {
      try {
        await this.decode(await this.fetch(part));
      } catch {
        // The frame in full size is shown instead, and says so if it cannot be loaded either.
        this.failed.push(part);
      }
      if (this.abort.signal.aborted) return;
    }
  }

  private async fetch({ first, last, step }: Series): Promise<Map<number, Blob>> {
    const url = urlOf("/api/videos/{video_id}/thumbs", { video_id: this.video });
    const answer = await request(`${url}?first=${first}&last=${last}&step=${step}`, {
      signal: this.abort.signal,
    });
    return picturesIn(await answer.arrayBuffer());
  }

  /** Decodes pictures, which the browser does beside the page's own thread, those near the frame in view first. */
  private async decode(pictures: Map<number, Blob>): Promise<void> {
    while (pictures.size > 0) {
      const near = [...pictures].sort(([a], [b]) => Math.abs(a - this.at) - Math.abs(b - this.at));
      await Promise.all(
        near.slice(0, DECODED_AT_ONCE).map(([frame, picture]) => {
          pictures.delete(frame);
          return this.keep(frame, picture);
        }),
      );
      if (this.abort.signal.aborted) return;
      this.arrivals.value++;
    }
  }

  private async keep(frame: number, picture: Blob): Promise<void> {
    const bitmap = await createImageBitmap(picture).catch(() => null);
    if (!bitmap) return; // A damaged picture: that of a frame nearby is shown instead.
    if (this.abort.signal.aborted) return bitmap.close();
    this.bitmaps.set(frame, bitmap);
    this.bytes += bitmap.width * bitmap.height * 4;
  }
}

/** Reads an answer of several pictures. */
export function picturesIn(bytes: ArrayBuffer): Map<number, Blob> {
  const view = new DataView(bytes);
  const pictures = new Map<number, Blob>();
  for (let at = 0; at + HEAD <= bytes.byteLength; ) {
    const size = view.getUint32(at + 4, true);
    const start = at + HEAD;
    pictures.set(
      view.getUint32(at, true),
      new Blob([bytes.slice(start, start + size)], { type: "image/jpeg" }),
    );
    at = start + size;
  }
  return pictures;
}
