/**
 * Small pictures of all frames, loaded ahead when a large video is open. While one scrubs faster than frames can be
 * loaded, they stand in for the frames, so the picture is never far behind the timeline.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import { urlOf } from "../api/http";
import { loadPicture } from "./pictures";

const AT_ONCE = 4; // requests at the same time; frames in full size come first
const NEAR = 2; // frames; while a scrub goes on, a picture of one that is near is enough
const COARSEST = 16; // frames between the pictures that are loaded first
const MOST_BYTES = 160 * 1024 * 1024; // of decoded pictures: about 1,100 of 256 x 144

/** Returns the frames in the order of loading: coarse steps over the whole video first, then those between. */
export function coarseFirst(count: number): number[] {
  const order: number[] = [];
  const seen = new Set<number>();
  for (let step = COARSEST; step >= 1; step /= 2)
    for (let frame = 0; frame < count; frame += step)
      if (!seen.has(frame)) {
        seen.add(frame);
        order.push(frame);
      }
  return order;
}

export interface SmallFrame {
  frame: number;
  bitmap: ImageBitmap;
}

export class SmallFrames {
  private readonly bitmaps = new Map<number, ImageBitmap>();
  private readonly arrivals = signal(0);
  private readonly abort = new AbortController();
  private order: number[] = [];
  private begun = false;
  private ended = false;
  private bytes = 0;

  constructor(private readonly video: number) {}

  /** Increases whenever a picture was loaded. */
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
    return this.get(frame, Math.min(COARSEST, Math.abs(frame - shown) - 1));
  }

  /**
   * Loads the pictures of a video with `count` frames, as many as there is room for. The first call returns a promise that
   * resolves when they are here, later calls return nothing.
   */
  load(count: number): Promise<void> | undefined {
    if (this.begun) return undefined;
    this.begun = true;
    this.order = coarseFirst(count);
    return Promise.all(Array.from({ length: AT_ONCE }, () => this.work())).then(() => {
      this.ended = true;
    });
  }

  close(): void {
    this.abort.abort();
    for (const bitmap of this.bitmaps.values()) bitmap.close();
    this.bitmaps.clear();
  }

  private async work(): Promise<void> {
    for (let frame = this.order.shift(); frame !== undefined; frame = this.order.shift()) {
      if (this.abort.signal.aborted || this.bytes > MOST_BYTES) return;
      try {
        const url = urlOf("/api/videos/{video_id}/thumbs/{frame}.jpg", { video_id: this.video, frame });
        const bitmap = await createImageBitmap(await loadPicture(url, { signal: this.abort.signal }));
        if (this.abort.signal.aborted) return bitmap.close();
        this.bitmaps.set(frame, bitmap);
        this.bytes += bitmap.width * bitmap.height * 4;
        this.arrivals.value++;
      } catch {
        // The frame in full size is shown instead, and says so if it cannot be loaded either.
      }
    }
  }
}
