/** What the pointer and the tool in use do at the moment. Tools write it, the drawing layer shows it. */
import { type Signal, signal } from "@preact/signals";
import type { CanvasPoint } from "../canvas/view";
import type { Point } from "../protocol";

export interface PointerState {
  readonly live: Signal<{ object: number; path: readonly Point[] } | null>; // the stroke being drawn
  readonly hover: Signal<CanvasPoint | null>; // position of a pointer that can hover
  readonly pen: Signal<CanvasPoint | null>; // position of the pen that the arrow keys move
  readonly marked: Signal<string | null>; // key of the scribble under the eraser
}

export function createPointerState(): PointerState {
  return { live: signal(null), hover: signal(null), pen: signal(null), marked: signal(null) };
}
