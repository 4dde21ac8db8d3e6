/** A cache of decoded frames. Frames around the one in view are loaded ahead, in the direction of movement. */
import { type ReadonlySignal, signal } from "@preact/signals";
import { urlOf } from "../api/http";
import { loadPicture } from "./pictures";
import { type SmallFrame, SmallFrames } from "./smallFrames";

const BYTES = 320 * 1024 * 1024; // of decoded frames: 200 at 480p, 38 at 1080p
const AT_ONCE = 4;
const AHEAD = 24; // frames loaded ahead of the one in view, and a third of it behind
const AHEAD_PLAYING = 48;
const LARGE = 1280 * 720; // pixels of a frame from which on small pictures are loaded ahead
const AHEAD_WITH_SMALL = 4; // the same while small pictures are being loaded, which let a person scrub
const JUMP = 2; // frames; a larger step is a scrub
const RESTS = 80; // ms without a jump after which a scrub rests
const AGAIN_AFTER = 3000; // ms before a frame that failed is requested again

/** Returns frames in the order of loading: `at`, then the frames ahead, and after every third of them one behind. */
export function wantedAround(at: number, direction: number, count: number, ahead: number): number[] {
  const wanted = [at];
  for (let i = 1; i <= ahead; i++) {
    wanted.push(at + direction * i);
    if (i % 3 === 0) wanted.push(at - (direction * i) / 3);
  }
  return wanted.filter((frame) => frame >= 0 && frame < count);
}

export class FrameCache {
  private readonly bitmaps = new Map<number, ImageBitmap>(); // in order of use, oldest first
  private readonly loading = new Map<number, AbortController>();
  private readonly failures = new Map<number, number>(); // by frame: the time of the next try
  private readonly arrivals = signal(0);
  private readonly broken = signal<number | null>(null);
  private wanted: number[] = [];
  private bytes = 0;
  private bytesEach = 1;
  private last = 0;
  private direction = 1;
  private closed = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private rest: ReturnType<typeof setTimeout> | undefined; // runs during a scrub
  private readonly small: SmallFrames;
  private smallCount = 0; // the number of small pictures to load once the first frame is here

  constructor(private readonly video: number) {
    this.small = new SmallFrames(video);
  }

  /** Returns the small picture nearest to `frame`, if it is nearer than frame `shown`. It stands in while the frame loads. */
  standIn(frame: number, shown: number): SmallFrame | undefined {
    return this.small.nearer(frame, shown);
  }

  /** Increases whenever a small picture was loaded. */
  get standIns(): ReadonlySignal<number> {
    return this.small.version;
  }

  /** Increases whenever a frame was loaded. */
  get version(): ReadonlySignal<number> {
    return this.arrivals;
  }

  /** The frame in view if it could not be loaded, else null. */
  get failed(): ReadonlySignal<number | null> {
    return this.broken;
  }

  has(frame: number): boolean {
    return this.bitmaps.has(frame);
  }

  get(frame: number): ImageBitmap | undefined {
    const bitmap = this.bitmaps.get(frame);
    if (bitmap) {
      this.bitmaps.delete(frame);
      this.bitmaps.set(frame, bitmap);
    }
    return bitmap;
  }

  /** Begins to load a frame before anything is known of the video, because it is what a person waits for. */
  preload(frame: number): void {
    this.last = frame;
    this.wanted = [frame];
    this.pump();
  }

  /**
   * Loads small pictures after the first frame if frames are large. Those of small videos come fast enough by themselves.
   */
  open({ width, height, frame_count }: { width: number; height: number; frame_count: number }): void {
    if (width * height < LARGE) return;
    this.smallCount = frame_count;
    if (this.bitmaps.size > 0 || this.failures.size > 0) this.loadSmall();
  }

  /** Loads small pictures, and after them the frames that are read ahead. */
  private loadSmall(): void {
    const count = this.smallCount;
    this.small.load(count)?.then(() => this.follow(this.last, count, false));
  }

  /** Tells the cache that `frame` is in view now. */
  follow(frame: number, count: number, playing: boolean): void {
    if (count === 0 || this.closed) return;

    const jumps = Math.abs(frame - this.last) > JUMP;
    if (frame !== this.last) this.direction = frame > this.last ? 1 : -1;
    this.last = frame;
    this.small.at = frame;
    const room = Math.floor(BYTES / 2 / this.bytesEach); // the other half keeps frames that were shown
    const usual = this.smallCount > 0 && !this.small.done ? AHEAD_WITH_SMALL : AHEAD;
    const ahead = Math.min(playing ? AHEAD_PLAYING : usual, room);
    this.wanted = wantedAround(frame, this.direction, count, ahead);
    this.broken.value = this.failures.has(frame) ? frame : null;
    // Requests that are no longer needed would delay the frame in view.
    for (const [other, abort] of this.loading) if (!this.wanted.includes(other)) abort.abort();
    clearTimeout(this.rest);
    this.rest = undefined;
    // Frames that a scrub only passes are not loaded: a small picture of each is enough.
    if (jumps && !this.bitmaps.has(frame) && this.small.get(frame))
      this.rest = setTimeout(() => {
        this.rest = undefined;
        this.follow(frame, count, playing);
      }, RESTS);
    else this.pump();
  }

  retry(): void {
    this.failures.clear();
    this.broken.value = null;
    this.small.retry()?.then(() => this.follow(this.last, this.smallCount, false));
    this.pump();
  }

  close(): void {
    this.closed = true;
    this.small.close();
    clearTimeout(this.timer);
    clearTimeout(this.rest);
    for (const abort of this.loading.values()) abort.abort();
    for (const bitmap of this.bitmaps.values()) bitmap.close();
    this.bitmaps.clear();
  }

  private pump(): void {
    if (this.rest !== undefined) return;
    const now = performance.now();
    for (const frame of this.wanted) {
      if (this.loading.size >= AT_ONCE) return;
      if (this.bitmaps.has(frame) || this.loading.has(frame)) continue;
      if ((this.failures.get(frame) ?? 0) > now) continue;
      void this.load(frame);
    }
  }

  private async load(frame: number): Promise<void> {
    const abort = new AbortController();
    this.loading.set(frame, abort);
    try {
      const picture = await loadPicture(
        urlOf("/api/videos/{video_id}/frames/{frame}.jpg", { video_id: this.video, frame }),
        // Others are for later, so they must not delay the frame in view.
        { signal: abort.signal, priority: frame === this.last ? "high" : "low" },
      );
      const bitmap = await createImageBitmap(picture);
      if (this.closed) bitmap.close();
      else this.keep(frame, bitmap);
    } catch {
      // Aborted requests are no failures. Other failures are shown through `failed` and tried again.
      if (!abort.signal.aborted) this.fail(frame);
    }
    this.loading.delete(frame);
    if (this.closed) return;
    if (this.smallCount > 0) this.loadSmall();
    this.pump();
  }

  private fail(frame: number): void {
    this.failures.set(frame, performance.now() + AGAIN_AFTER);
    if (frame === this.last) this.broken.value = frame;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.pump(), AGAIN_AFTER + 50);
  }

  private keep(frame: number, bitmap: ImageBitmap): void {
    this.bitmaps.set(frame, bitmap);
    this.failures.delete(frame);
    if (this.broken.peek() === frame) this.broken.value = null;
    this.bytesEach = bitmap.width * bitmap.height * 4;
    this.bytes += this.bytesEach;

    for (const [old, oldest] of this.bitmaps) {
      if (this.bytes <= BYTES || old === frame) break;
      if (this.wanted.includes(old)) continue;
      this.bitmaps.delete(old);
      this.bytes -= oldest.width * oldest.height * 4;
      oldest.close();
    }
    this.arrivals.value++;
  }
}
