/**
 * Paints the frame and its mask together, and only when something changed. While a frame or a mask is loading, the
 * screen keeps showing what it shows. A mask is never shown on a frame that it does not belong to.
 */
import { effect, type Signal, signal } from "@preact/signals";
import { maskPainted, record } from "../canvas/metrics";
import { MaskPixels } from "../canvas/paint";
import { type ColorTable, changeTables, colorTable, contourDepth } from "../canvas/table";
import type { DecodedMask } from "../masks/contour";
import type { PackedMask } from "../masks/decode";
import type { ObjectInfo } from "../protocol";
import { recoloured } from "../state/objectColors";
import { covers } from "../state/ranges";
import type { Studio } from "../studio/studio";
import type { PointerState } from "../tools/pointerState";
import { MaskChoice, sameParts } from "./shownMask";

export interface PictureCanvases {
  frame: HTMLCanvasElement;
  mask: HTMLCanvasElement;
}

/** The label map on screen, and the objects in the colours in which it is shown. */
export interface MapOnScreen {
  frame: number;
  map: DecodedMask;
  objects: readonly ObjectInfo[];
}

const PREPARED = 4; // masks that are decoded ahead of the frame in view
const SPARE = 6; // ms, about the time that decoding a 1080p mask takes

export class Picture {
  /** What the mask layer shows; null if it shows nothing. Contours that are drawn as lines follow it. */
  readonly onScreen: Signal<MapOnScreen | null> = signal(null);
  private readonly frameContext: CanvasRenderingContext2D;
  private readonly maskContext: CanvasRenderingContext2D;
  private readonly choice: MaskChoice;
  private pixels: MaskPixels | null = null;
  private frame = -1; // the frame that is on screen
  private standsIn = false; // a small picture is shown until the frame is loaded
  private cut = false; // whether the frame layer shows only the objects' pixels
  private shown: { frame: number; parts: readonly unknown[] } = { frame: -1, parts: [] };
  private table: { look: string; colors: ColorTable; objects: readonly ObjectInfo[] } | null = null;
  private request = 0;
  private idle = 0;
  private lastFrame = 0;
  private readonly end: () => void;

  constructor(
    private readonly studio: Studio,
    private readonly pointer: PointerState,
    private readonly canvases: PictureCanvases,
  ) {
    this.frameContext = context(canvases.frame);
    this.maskContext = context(canvases.mask);
    this.choice = new MaskChoice(studio, pointer);
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
      store.alive,
      store.absent,
      store.paintings,
      store.compare,
      store.preview,
    ];
    for (const signal of [
      ...all,
      store.view,
      store.masks.version,
      frames.version,
      frames.standIns,
      stage.view,
    ])
      signal.value;
    this.pointer.painting.value;
  }

  private paint(): void {
    const { store, frames } = this.studio;
    const video = store.video.peek();
    if (!video) return;
    const start = performance.now();
    this.fitCanvases(video.width, video.height);
    const wanted = store.frame.peek();
    const full = wanted === this.frame && !this.standsIn ? undefined : frames.get(wanted);
    const next = full ? { frame: wanted, bitmap: full } : frames.standIn(wanted, this.frame);
    const bitmap = next?.bitmap;
    if (next) {
      this.drawFrame(next.bitmap);
      this.frame = next.frame;
      this.standsIn = full === undefined;
    }
    const painted = this.frame >= 0 ? this.paintMask() : null;
    if (painted || bitmap || this.cut !== (store.view.peek().mode === "matte"))
      this.cutOut(bitmap !== undefined);
    if (bitmap || painted)
      record("paints", { frame: this.frame, ms: performance.now() - start, picture: bitmap !== undefined });
    this.prepareNext();
    if (painted?.stored) maskPainted(painted.stored.frame, painted.stored.round, painted.stored.seq);
  }

  private drawFrame(bitmap: ImageBitmap): void {
    const { width, height } = this.canvases.frame;
    this.frameContext.drawImage(bitmap, 0, 0, width, height);
    this.cut = false;
  }

  /** In mode `matte` the frame layer keeps only the pixels of objects. The ground lies below it (Stage.tsx). */
  private cutOut(fresh: boolean): void {
    const matte = this.studio.store.view.peek().mode === "matte";
    if (!matte && !this.cut) return;
    if (!fresh) {
      const bitmap = this.studio.frames.get(this.frame);
      if (!bitmap) return; // It is loaded again, and then drawn.
      this.frameContext.clearRect(0, 0, this.canvases.frame.width, this.canvases.frame.height);
      this.drawFrame(bitmap);
    }
    if (!matte) return;
    this.frameContext.globalCompositeOperation = "destination-in";
    this.frameContext.drawImage(this.canvases.mask, 0, 0);
    this.frameContext.globalCompositeOperation = "source-over";
    this.cut = true;
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

  /** Returns what was painted; null if nothing changed. */
  private paintMask(): { stored: PackedMask | null } | null {
    const next = this.choice.next(this.frame, this.shown.frame);
    if (!next || !this.pixels) return null;
    const { store } = this.studio;
    const view = store.view.peek();
    const before = view.mode === "changes" ? this.choice.before(this.frame) : null;
    const table = this.currentTable(next.stored, next.frame);
    const parts = [...next.parts, before, table.look];
    if (next.frame === this.shown.frame && sameParts(parts, this.shown.parts)) return null;
    const map = this.choice.mapOf(next);
    const box = !map
      ? this.pixels.clear()
      : before
        ? this.pixels.showChanges(map, this.choice.decode(before), changeTables(table.objects, view))
        : this.pixels.show(map, table.colors);
    const { width, height } = this.pixels.size;
    if (box.w > 0) {
      const image = new ImageData(this.pixels.data, width, height);
      this.maskContext.putImageData(image, 0, 0, box.x, box.y, box.w, box.h);
    }
    this.shown = { frame: next.frame, parts };
    this.onScreen.value = map && { frame: next.frame, map, objects: table.objects };
    return { stored: next.stored };
  }

  private currentTable(stored: PackedMask | null, frame: number) {
    const { store, stage } = this.studio;
    // Where a person said that an object is absent, its pixels are not shown: exports leave them out, too.
    const absent = store.absent.peek();
    const present = store.alive.peek().filter(({ number }) => !covers(absent.get(number) ?? [], frame));
    const view = store.view.peek();
    const scale = stage.view.peek().scale;
    const confidence = view.colorBy === "confidence" ? (stored?.confidence ?? null) : null;
    const settings = [
      view.mode,
      view.opacity,
      view.hidden,
      view.solo,
      view.colorBy,
      contourDepth(view, scale),
    ];
    const look = JSON.stringify([...settings, confidence && [...confidence], present]);
    if (this.table?.look !== look) {
      const objects = recoloured(present, view.colorBy, confidence);
      this.table = { look, objects, colors: colorTable(objects, view, scale) };
    }
    return this.table;
  }
}

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const made = canvas.getContext("2d");
  if (!made) throw new Error("This browser gives no 2D canvas");
  return made;
}
