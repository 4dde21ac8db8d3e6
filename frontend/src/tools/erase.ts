/** Removes waiting strokes of one's own: the one under the pointer, or all that it is drawn over. */
import { Eraser } from "lucide-preact";
import { eraseStroke } from "../actions/strokes";
import { distanceTo } from "../canvas/strokes";
import { type CanvasPoint, fromUnit, toCanvas } from "../canvas/view";
import type { ScribbleInfo } from "../protocol";
import type { Studio } from "../studio/studio";
import type { PointerState } from "./pointerState";
import type { Gesture, Tool } from "./tool";

const REACH = 10; // CSS pixels around a stroke in which it is grasped

export const erase: Tool = {
  name: "erase",
  title: "Erase a waiting stroke",
  icon: Eraser,
  keys: ["E"],
  cursor: "cell",
  draws: true,
  press,
  hover: (studio, pointer, at) => {
    pointer.marked.value = strokeAt(studio, at)?.key ?? null;
  },
};

function press(studio: Studio, pointer: PointerState, at: CanvasPoint): Gesture | null {
  if (!studio.store.canDraw.peek()) return null;
  const sweep = (points: readonly CanvasPoint[]): void => {
    for (const point of points) {
      const stroke = strokeAt(studio, point);
      if (stroke) eraseStroke(studio, stroke);
    }
  };
  const done = (): void => {
    pointer.marked.value = null;
  };
  sweep([at]);
  return { move: sweep, end: done, cancel: done };
}

/** The topmost own waiting stroke on the frame in view near `at`. */
export function strokeAt({ store, stage }: Studio, at: CanvasPoint): ScribbleInfo | undefined {
  const view = stage.view.peek();
  const reach = REACH + store.view.peek().brush / 2;
  const here = store.mine.peek().filter((stroke) => stroke.frame === store.frame.peek());
  return here.findLast((stroke) => {
    const path = stroke.path.map((point) => toCanvas(view, fromUnit(point, stage.frameSize)));
    return distanceTo(at, path) <= reach;
  });
}
