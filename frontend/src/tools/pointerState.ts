/** What the pointer and the tool in use do at the moment. Tools write it, the drawing layer shows it. */
import { type Signal, signal } from "@preact/signals";
import type { CanvasPoint } from "../canvas/view";
import type { Point } from "../protocol";

/** The label map of a frame while a stroke of a painting tool changes it: row-major, the size of the frame. */
export interface LivePainting {
  readonly frame: number;
  readonly labels: Uint8Array;
}

export interface PointerState {
  readonly live: Signal<{ object: number; path: readonly Point[] } | null>; // the stroke being drawn
  readonly painting: Signal<LivePainting | null>; // a new value for each change, so that it can be followed
  readonly box: Signal<readonly [Point, Point] | null>; // the box that is being drawn: two opposite corners
  readonly hover: Signal<CanvasPoint | null>; // position of a pointer that can hover
  readonly pen: Signal<CanvasPoint | null>; // position of the pen that the arrow keys move
  readonly marked: Signal<string | null>; // key of the scribble under the eraser
}

export function createPointerState(): PointerState {
  return {
    live: signal(null),
    painting: signal(null),
    box: signal(null),
    hover: signal(null),
    pen: signal(null),
    marked: signal(null),
  };
}
