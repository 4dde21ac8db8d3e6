/** A tool: what a pointer that is pressed on the picture does until it is let go. */

import type { CanvasPoint } from "../canvas/view";
import type { Studio } from "../studio/studio";
import type { PointerState } from "./pointerState";

export interface Gesture {
  /** All points since the last call, in order: pens give several to a frame of the screen. */
  move(points: readonly CanvasPoint[]): void;
  end(): void;
  /** The pointer was taken away (a second finger came, Escape): as if it had never been pressed. */
  cancel(): void;
}

/** null: nothing begins, and the tool has said why where that is not plain. */
export type Tool = (studio: Studio, hand: PointerState, at: CanvasPoint) => Gesture | null;
