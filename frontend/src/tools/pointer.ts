/**
 * Mouse, pen and touch on the stage. One pointer uses the chosen tool; the middle button, or Space held down, pans; two
 * fingers pan and zoom; the wheel zooms at the cursor, pans with Shift, and changes the size of the brush with Alt.
 */
import { untracked } from "@preact/signals";

import { resizeBrush } from "../actions/brushSize";
import { type CanvasPoint, canvasPoint } from "../canvas/view";
import type { Studio } from "../studio/studio";
import { pan } from "./pan";
import type { PointerState } from "./pointerState";
import { type Gesture, type PointerSample, type Press, sampleAt } from "./tool";
import { toolInUse } from "./tools";

const WHEEL = 0.0015; // exponent of the zoom factor per pixel of the wheel
const PINCH_WHEEL = 0.01; // trackpads report pinches as small wheel steps with Ctrl
const MOST_WHEEL = 1.25; // limit of a step: a mouse reports one large step per notch

export class Pointers {
  private readonly down = new Map<number, CanvasPoint>();
  private gesture: { pointer: number; does: Gesture } | null = null;
  private space = false;
  private spaceDragged = false;
  private readonly abort = new AbortController();

  constructor(
    private readonly studio: Studio,
    private readonly pointer: PointerState,
    private readonly element: HTMLElement,
  ) {
    const options = { signal: this.abort.signal };
    element.addEventListener("pointerdown", (event) => this.press(event), options);
    element.addEventListener("pointermove", (event) => this.move(event), options);
    element.addEventListener("pointerup", (event) => this.release(event), options);
    element.addEventListener("pointercancel", (event) => this.lose(event), options);
    element.addEventListener("pointerleave", () => this.leave(), options);
    element.addEventListener("wheel", (event) => this.wheel(event), { ...options, passive: false });
    element.addEventListener("contextmenu", (event) => event.preventDefault(), options);
    element.addEventListener("blur", () => element.removeAttribute("data-pointer"), options);
    addEventListener("keydown", (event: KeyboardEvent) => this.key(event, true), options);
    addEventListener("keyup", (event: KeyboardEvent) => this.key(event, false), options);
    addEventListener("blur", () => this.letSpaceGo(), options);
  }

  close(): void {
    this.gesture?.does.cancel();
    this.abort.abort();
  }

  /** Whether the pointer was pressed since Space went down, so that releasing Space is not a tap. */
  readonly spaceUsed = (): boolean => this.spaceDragged;

  /** Cancels the current gesture. Returns false if there is none. */
  cancel(): boolean {
    if (!this.gesture) return false;
    this.gesture.does.cancel();
    this.gesture = null;
    return true;
  }

  private at(event: MouseEvent): CanvasPoint {
    const box = this.element.getBoundingClientRect();
    return canvasPoint(event.clientX - box.left, event.clientY - box.top);
  }

  /** Browsers report a pressure of 0.5 for a mouse and often 0 for a finger, so that only a pen's is used. */
  private sample(event: PointerEvent): PointerSample {
    const pressure = event.pointerType === "pen" ? event.pressure : 1;
    return sampleAt(this.at(event), pressure, event.shiftKey);
  }

  private press(event: PointerEvent): void {
    const at = this.at(event);
    this.down.set(event.pointerId, at);
    this.element.setPointerCapture(event.pointerId);
    this.element.setAttribute("data-pointer", "");
    if (this.down.size === 2) {
      this.cancel(); // With a second finger, both move the frame.
      return;
    }
    const panning = event.button === 1 || (event.button === 0 && this.space);
    if (this.down.size > 2) return;
    if (panning) event.preventDefault(); // The middle button would start scrolling.
    if (this.space) this.spaceDragged = true;
    const press = panning ? pan.press : this.pressOf(event);
    const does = press?.(this.studio, this.pointer, this.sample(event)) ?? null;
    this.gesture = does && { pointer: event.pointerId, does };
  }

  /** Returns how the tool in use handles the pressed button; undefined if it does not. */
  private pressOf({ button, altKey }: PointerEvent): Press | undefined {
    const tool = untracked(() => toolInUse(this.studio));
    if (button === 2 || (button === 0 && altKey)) return tool.pressAlternative;
    return button === 0 ? tool.press : undefined;
  }

  private move(event: PointerEvent): void {
    const at = this.at(event);
    if (event.pointerType !== "touch") this.hover(this.sample(event));
    if (!this.down.has(event.pointerId)) return;
    if (this.down.size === 2) this.pinch(event.pointerId, at);
    this.down.set(event.pointerId, at);
    if (this.gesture?.pointer !== event.pointerId) return;
    const parts = event.getCoalescedEvents?.() ?? [];
    this.gesture.does.move(parts.length > 0 ? parts.map((part) => this.sample(part)) : [this.sample(event)]);
  }

  private release(event: PointerEvent): void {
    this.down.delete(event.pointerId);
    if (this.gesture?.pointer !== event.pointerId) return;
    const { does } = this.gesture;
    this.gesture = null;
    does.end();
  }

  private lose(event: PointerEvent): void {
    this.down.delete(event.pointerId);
    if (this.gesture?.pointer === event.pointerId) this.cancel();
  }

  private leave(): void {
    this.pointer.hover.value = null;
    this.pointer.marked.value = null;
  }

  private hover(at: PointerSample): void {
    this.pointer.hover.value = at;
    this.pointer.marked.value = null;
    untracked(() => toolInUse(this.studio)).hover?.(this.studio, this.pointer, at);
  }

  /** Pans and zooms so that the point between two fingers stays between them. */
  private pinch(moved: number, to: CanvasPoint): void {
    const from = this.down.get(moved) as CanvasPoint;
    const other = [...this.down].find(([id]) => id !== moved)?.[1];
    if (!other) return;
    const before = Math.hypot(from.x - other.x, from.y - other.y);
    const after = Math.hypot(to.x - other.x, to.y - other.y);
    const { stage } = this.studio;
    stage.pan((to.x - from.x) / 2, (to.y - from.y) / 2);
    if (before > 0) stage.zoomBy(after / before, canvasPoint((to.x + other.x) / 2, (to.y + other.y) / 2));
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const line = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const { stage } = this.studio;
    if (event.altKey) resizeBrush(this.studio, event.deltaY || event.deltaX);
    else if (event.shiftKey)
      stage.pan(-(event.deltaX || event.deltaY) * line, event.deltaX ? -event.deltaY * line : 0);
    else stage.zoomBy(wheelFactor(event.deltaY * line, event.ctrlKey), this.at(event));
  }

  private key(event: KeyboardEvent, down: boolean): void {
    if (event.key !== " ") return;
    if (down && !this.space) this.spaceDragged = false;
    this.space = down;
    this.element.toggleAttribute("data-panning", down);
  }

  private letSpaceGo(): void {
    this.space = false;
    this.element.removeAttribute("data-panning");
  }
}

/** Returns the zoom factor of a wheel step of `pixels`. */
export function wheelFactor(pixels: number, pinch: boolean): number {
  const factor = Math.exp(-pixels * (pinch ? PINCH_WHEEL : WHEEL));
  return Math.min(MOST_WHEEL, Math.max(1 / MOST_WHEEL, factor));
}
