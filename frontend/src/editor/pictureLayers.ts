/**
 * Paints the frame and its mask together, and only when something changed. While a frame or a mask is loading, the
 * screen keeps showing what it shows. A mask is never shown on a frame that it does not belong to.
 */
import { effect } from "@preact/signals";
import { maskPainted, record } from "../canvas/metrics";
import { MaskPixels } from "../canvas/paint";
import { type ColorTable, changeTables, colorTable, contourDepth } from "../canvas/table";
import type { DecodedMask } from "../masks/contour";
import type { PackedMask } from "../masks/decode";
import { sourceOf } from "../state/frameSummary";
import { lineOf } from "../state/line";
import type { Studio } from "../studio/studio";

interface Canvases {
  frame: HTMLCanvasElement;
  mask: HTMLCanvasElement;
}

/** What the mask layer shows. If the wanted value equals the shown one, nothing is painted. */
interface Shown {
  frame: number;
  now: PackedMask | null;
  before: PackedMask | null; // mode `changes`
  look: string;
}

const PREPARED = 4; // masks that are decoded ahead of the frame in view
const SPARE = 6; // ms, about the time that decoding a 1080p mask takes

export class Picture {
  private readonly frameContext: CanvasRenderingContext2D;
  private readonly maskContext: CanvasRenderingContext2D;
  private pixels: MaskPixels | null = null;
  private frame = -1; // the frame that is on screen
  private shown: Shown = { frame: -1, now: null, before: null, look: "" };
  private table: ColorTable | null = null;
  private tableLook = "";
  private request = 0;
  private idle = 0;
  private lastFrame = 0;
  private readonly end: () => void;

  constructor(
    private readonly studio: Studio,
    private readonly canvases: Canvases,
  ) {
    this.frameContext = context(canvases.frame);
    this.maskContext = context(canvases.mask);
    this.end = effect(() => {
      this.followAll();
      this.request ||= requestAnimationFrame(() => {
        this.request = 0;
        this.paint();
      });
    });
  }

  close(): void {
    this.end();
    cancelAnimationFrame(this.request);
    if (this.idle) cancelIdleCallback(this.idle);
  }

  private followAll(): void {
    const { store, frames, stage } = this.studio;
    const all = [
      store.video,
      store.frame,
      store.line,
      store.rounds,
      store.accepted,
      store.looking,
      store.objects,
    ];
    for (const signal of [...all, store.view, store.masks.version, frames.version, stage.view]) signal.value;
  }

  private paint(): void {
    const { store, frames } = this.studio;
    const video = store.video.peek();
    if (!video) return;
    const start = performance.now();
    this.fitCanvases(video.width, video.height);
    const wanted = store.frame.peek();
    const bitmap = wanted === this.frame ? undefined : frames.get(wanted);
    if (bitmap) {
      this.frameContext.drawImage(bitmap, 0, 0, video.width, video.height);
      this.frame = wanted;
    }
    const painted = this.frame >= 0 && this.paintMask();
    if (bitmap || painted)
      record("paints", { frame: this.frame, ms: performance.now() - start, picture: bitmap !== undefined });
    this.prepareNext();
    const { now } = this.shown;
    if (painted && now) maskPainted(now.frame, now.round, now.seq);
  }

  /** Decodes the next masks while the browser is idle, because at 1080p decoding is most of the time of a paint. */
  private prepareNext(): void {
    if (this.idle || !window.requestIdleCallback) return;
    const { store } = this.studio;
    const direction = Math.sign(this.frame - this.lastFrame) || 1;
    this.lastFrame = this.frame;
    const next = Array.from({ length: PREPARED }, (_, i) => this.frame + direction * (i + 1));
    const work = (deadline: IdleDeadline): void => {
      this.idle = 0;
      for (let frame = next.shift(); frame !== undefined; frame = next.shift()) {
        const round = store.summaries.peek()[frame]?.round;
        const mask = round === null || round === undefined ? undefined : store.masks.get(round, frame);
        if (mask) store.masks.decode(mask);
        if (next.length > 0 && deadline.timeRemaining() < SPARE) {
          this.idle = requestIdleCallback(work);
          return;
        }
      }
    };
    this.idle = requestIdleCallback(work);
  }

  private fitCanvases(width: number, height: number): void {
    if (this.pixels?.size.width === width && this.pixels.size.height === height) return;
    for (const canvas of [this.canvases.frame, this.canvases.mask]) {
      canvas.width = width;
      canvas.height = height;
    }
    this.pixels = new MaskPixels({ width, height });
  }

  /** Returns true if pixels changed. */
  private paintMask(): boolean {
    const next = this.nextShown();
    if (!next || !this.pixels || same(next, this.shown)) return false;
    const { store } = this.studio;
    const view = store.view.peek();
    const now = next.now && this.decode(next.now);
    const box = !now
      ? this.pixels.clear()
      : view.mode === "changes" && next.before
        ? this.pixels.showChanges(now, this.decode(next.before), changeTables(store.objects.peek(), view))
        : this.pixels.show(now, this.currentTable(next.look));
    const { width, height } = this.pixels.size;
    if (box.w > 0)
      this.maskContext.putImageData(
        new ImageData(this.pixels.data, width, height),
        0,
        0,
        box.x,
        box.y,
        box.w,
        box.h,
      );
    this.shown = next;
    return true;
  }

  private decode(mask: PackedMask): DecodedMask {
    const start = performance.now();
    const map = this.studio.store.masks.decode(mask);
    const ms = performance.now() - start;
    if (ms > 0.02) record("decodes", ms); // A faster result came from the cache.
    return map;
  }

  /** Returns what the mask layer should show now, or null to leave it as it is until a mask arrives. */
  private nextShown(): Shown | null {
    const { store, stage } = this.studio;
    const { frame } = this;
    const view = store.view.peek();
    const rim = contourDepth(view, stage.view.peek().scale);
    const look = JSON.stringify([view.mode, view.opacity, view.hidden, view.solo, rim, store.objects.peek()]);
    const line = store.line.peek();
    const now = this.maskOn(frame, line, true);
    if (now === undefined) return null;
    const base = line[0] === undefined ? null : (store.rounds.peek().get(line[0])?.base ?? null);
    const before =
      view.mode === "changes" ? this.maskOn(frame, lineOf(store.rounds.peek(), base), false) : null;
    return { frame, now, before: before ?? null, look };
  }

  /** Returns the mask of `frame` on `line`: null if there is none, undefined if it is not loaded yet. */
  private maskOn(frame: number, line: readonly number[], accepted: boolean): PackedMask | null | undefined {
    const { store } = this.studio;
    const kept = accepted ? store.kept.peek() : new Map<number, number>();
    const round = sourceOf(frame, store.rounds.peek(), line, kept, store.masks);
    if (round === null) return null;
    const mask = store.masks.get(round, frame);
    if (mask) return mask;
    if (this.shown.frame === frame) return undefined; // the old mask stays until the new one arrives
    return this.olderMask(frame, line) ?? null;
  }

  private olderMask(frame: number, line: readonly number[]): PackedMask | undefined {
    for (const id of line) {
      const mask = this.studio.store.masks.get(id, frame);
      if (mask) return mask;
    }
    return undefined;
  }

  private currentTable(look: string): ColorTable {
    if (!this.table || this.tableLook !== look) {
      const { store, stage } = this.studio;
      this.table = colorTable(store.objects.peek(), store.view.peek(), stage.view.peek().scale);
      this.tableLook = look;
    }
    return this.table;
  }
}

function same(a: Shown, b: Shown): boolean {
  return a.frame === b.frame && a.now === b.now && a.before === b.before && a.look === b.look;
}

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const made = canvas.getContext("2d");
  if (!made) throw new Error("This browser gives no 2D canvas");
  return made;
}
