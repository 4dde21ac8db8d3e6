/**
 * Pointers and wheel on the timeline: one pointer scrubs, on the lanes or with Shift it selects a span, and at the top of
 * a scene cut it moves the cut; two pointers zoom and move; the wheel zooms, and moves sideways.
 */
import type { Signal } from "@preact/signals";
import { frameAt, isWhole, pan, type Scale, zoomAt } from "./scale";

export interface PointerWishes {
  scale: Signal<Scale>;
  /** The frame under the pointer. */
  hover: Signal<number | null>;
  seek: (frame: number) => void;
  /** The span that the pointer selects, in frames; null: a press without a drag, which selects nothing. */
  select: (span: readonly [first: number, last: number] | null) => void;
  /** Whether a drag that begins at `y` selects a span. */
  selects: (y: number) => boolean;
  /** Returns the scene cut whose handle is at `x`, `y`, null if none is. `reach`: how far off it may be, in pixels. */
  cutAt: (x: number, y: number, reach: number) => number | null;
  /** Moves a cut while it is dragged. Returns where it is now. */
  dragCut: (cut: number, frame: number) => number;
  /** The drag of a cut has ended. */
  dropCut: () => void;
}

/** How far from its line a cut can be taken, in pixels: a thumb is less exact. */
const REACH = { mouse: 5, pen: 7, touch: 16 } as const;

/** A press becomes a drag when the pointer has moved this far, in pixels. */
const DRAG = 4;

/** Exponent of the zoom factor per pixel of the wheel: a notch of 100 pixels shows a quarter more or fewer frames. */
const ZOOM_PER_PIXEL = 0.0022;
const LINE = 16;

export class Pointers {
  private readonly down = new Map<number, number>(); // pointer -> x
  private anchor: { frame: number; x: number; dragged: boolean } | null = null;
  private cut: number | null = null; // the scene cut that is dragged
  private readonly stop = new AbortController();

  constructor(
    private readonly element: HTMLElement,
    private readonly wishes: PointerWishes,
  ) {
    const { signal } = this.stop;
    element.addEventListener("pointerdown", this.pressed, { signal });
    element.addEventListener("pointermove", this.moved, { signal });
    element.addEventListener("pointerup", this.released, { signal });
    element.addEventListener("pointercancel", this.released, { signal });
    element.addEventListener("pointerleave", this.left, { signal });
    element.addEventListener("wheel", this.wheeled, { signal, passive: false });
  }

  end(): void {
    this.stop.abort();
  }

  private xOf(event: MouseEvent): number {
    return event.clientX - this.element.getBoundingClientRect().left;
  }

  private yOf(event: MouseEvent): number {
    return event.clientY - this.element.getBoundingClientRect().top;
  }

  private readonly pressed = (event: PointerEvent): void => {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    const x = this.xOf(event);
    this.down.set(event.pointerId, x);
    this.element.setPointerCapture(event.pointerId);
    if (this.down.size > 1) {
      this.dropCut();
      this.anchor = null;
      this.wishes.hover.value = null;
      return;
    }
    const y = this.yOf(event);
    this.cut = this.wishes.cutAt(x, y, reachOf(event));
    if (this.cut !== null) {
      this.scrub(x);
      return;
    }
    const selects = event.shiftKey || this.wishes.selects(y);
    this.anchor = selects ? { frame: this.frameAt(x), x, dragged: false } : null;
    this.scrub(x);
    if (!event.shiftKey) this.wishes.select(null);
  };

  private readonly moved = (event: PointerEvent): void => {
    const x = this.xOf(event);
    const before = this.down.get(event.pointerId);
    const onCut = this.cut !== null || this.wishes.cutAt(x, this.yOf(event), reachOf(event)) !== null;
    this.element.dataset.grip = onCut ? "cut" : "";
    if (before === undefined) {
      if (event.pointerType !== "touch") this.wishes.hover.value = this.frameAt(x);
      return;
    }
    if (this.down.size === 2) this.pinch(event.pointerId, x);
    else this.scrub(x);
    if (this.cut !== null) this.cut = this.wishes.dragCut(this.cut, this.frameAt(x));
    else if (this.down.size === 1) this.stretch(x);
    this.down.set(event.pointerId, x);
  };

  private readonly released = (event: PointerEvent): void => {
    this.dropCut();
    this.anchor = null;
    this.down.delete(event.pointerId);
    if (event.pointerType === "touch") this.wishes.hover.value = null;
  };

  private readonly left = (event: PointerEvent): void => {
    if (!this.down.has(event.pointerId)) this.wishes.hover.value = null;
  };

  private readonly wheeled = (event: WheelEvent): void => {
    event.preventDefault(); // The page neither scrolls nor zooms.
    const { scale } = this.wishes;
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1;
    const [dx, dy] = event.shiftKey ? [event.deltaX || event.deltaY, 0] : [event.deltaX, event.deltaY];
    const at = scale.peek();
    if (Math.abs(dx) > Math.abs(dy)) scale.value = pan(at, ((dx * unit) / at.width) * at.count);
    else scale.value = zoomAt(at, this.xOf(event), Math.exp(dy * unit * ZOOM_PER_PIXEL));
    this.wishes.hover.value = this.frameAt(this.xOf(event));
  };

  private frameAt(x: number): number {
    return frameAt(this.wishes.scale.peek(), x);
  }

  private dropCut(): void {
    if (this.cut !== null) this.wishes.dropCut();
    this.cut = null;
  }

  /** Selects from where the drag began to the frame at `x`. */
  private stretch(x: number): void {
    const { anchor } = this;
    if (!anchor) return;
    anchor.dragged ||= Math.abs(x - anchor.x) >= DRAG;
    if (!anchor.dragged) return;
    const frame = this.frameAt(x);
    this.wishes.select([Math.min(anchor.frame, frame), Math.max(anchor.frame, frame)]);
  }

  /** Moves a zoomed timeline when the pointer reaches its ends. */
  private scrub(x: number): void {
    const { scale, hover, seek } = this.wishes;
    const at = scale.peek();
    if (!isWhole(at) && (x < 0 || x > at.width)) {
      const beyond = x < 0 ? x : x - at.width;
      scale.value = pan(at, (beyond / at.width) * at.count * 0.2);
    }
    const frame = this.frameAt(Math.min(at.width - 0.01, Math.max(0, x)));
    hover.value = frame;
    seek(frame);
  }

  /** Zooms and moves so that the frame under each finger stays there. */
  private pinch(moving: number, x: number): void {
    const other = [...this.down].find(([id]) => id !== moving)?.[1] ?? 0;
    const before = this.down.get(moving) ?? x;
    const [was, is] = [Math.abs(before - other), Math.abs(x - other)];
    if (was < 4 || is < 4) return;
    const { scale } = this.wishes;
    scale.value = zoomAt(scale.peek(), other, was / is);
  }
}

function reachOf({ pointerType }: PointerEvent): number {
  return pointerType === "touch" || pointerType === "pen" ? REACH[pointerType] : REACH.mouse;
}
