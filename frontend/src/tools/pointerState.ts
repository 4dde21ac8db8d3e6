/** What the pointer and the tool in use do at the moment: tools write it, the drawing layer shows it. */
import { type Signal, signal } from "@preact/signals";
import type { CanvasPoint } from "../canvas/view";
import type { Point } from "../protocol";

export interface PointerState {
  readonly live: Signal<{ object: number; path: readonly Point[] } | null>; // the stroke being drawn
  readonly hover: Signal<CanvasPoint | null>; // where a pointer that can hover is
  readonly pen: Signal<CanvasPoint | null>; // the pen that keys move, while there is one
  readonly marked: Signal<string | null>; // key of the stroke that the eraser is on
}

export function createPointerState(): PointerState {
  return { live: signal(null), hover: signal(null), pen: signal(null), marked: signal(null) };
}
