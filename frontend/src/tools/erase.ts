/** Removes waiting strokes of one's own: the one under the pointer, or all that it is drawn over. */
import { eraseStroke } from "../actions/strokes";
import { distanceTo } from "../canvas/strokes";
import { type CanvasPoint, fromUnit, toCanvas } from "../canvas/view";
import type { ScribbleInfo } from "../protocol";
import type { Studio } from "../studio/studio";
import type { Tool } from "./tool";

const REACH = 10; // CSS pixels around a stroke in which it is grasped

export const erase: Tool = (studio, hand, at) => {
  if (!studio.store.canDraw.peek()) return null;
  const sweep = (points: readonly CanvasPoint[]): void => {
    for (const point of points) {
      const stroke = strokeAt(studio, point);
      if (stroke) eraseStroke(studio, stroke);
    }
  };
  const done = (): void => {
    hand.marked.value = null;
  };
  sweep([at]);
  return { move: sweep, end: done, cancel: done };
};

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
