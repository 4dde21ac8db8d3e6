/** Removes waiting scribbles of this person: the one under the pointer, and all that it is dragged over. */
import { PenOff } from "lucide-preact";
import { eraseScribble } from "../actions/scribbles";
import { distanceTo } from "../canvas/scribbles";
import { type CanvasPoint, fromUnit, toCanvas } from "../canvas/view";
import type { Point, ScribbleInfo } from "../protocol";
import type { Studio } from "../studio/studio";
import type { PointerState } from "./pointerState";
import type { Gesture, Tool } from "./tool";

const REACH = 10; // CSS pixels around a scribble in which the eraser reaches it

export const erase: Tool = {
  name: "erase",
  title: "Erase a waiting scribble",
  icon: PenOff,
  keys: ["E"],
  cursor: "cell",
  draws: true,
  press,
  hover: (studio, pointer, at) => {
    pointer.marked.value = scribbleAt(studio, at)?.key ?? null;
  },
};

function press(studio: Studio, pointer: PointerState, at: CanvasPoint): Gesture | null {
  if (!studio.store.canDraw.peek()) return null;
  const sweep = (points: readonly CanvasPoint[]): void => {
    for (const point of points) {
      const scribble = scribbleAt(studio, point);
      if (scribble) eraseScribble(studio, scribble);
    }
  };
  const done = (): void => {
    pointer.marked.value = null;
  };
  sweep([at]);
  return { move: sweep, end: done, cancel: done };
}

/** Returns this person's topmost waiting scribble near `at` on the frame in view. */
export function scribbleAt({ store, stage }: Studio, at: CanvasPoint): ScribbleInfo | undefined {
  const view = stage.view.peek();
  const reach = REACH + store.view.peek().brush / 2;
  const here = store.mine.peek().filter((scribble) => scribble.frame === store.frame.peek());
  return here.findLast((scribble) => {
    const path = outlineOf(scribble).map((point) => toCanvas(view, fromUnit(point, stage.frameSize)));
    return distanceTo(at, path) <= reach;
  });
}

/** Returns the line that is shown of a scribble: its path, and for a box its four sides. */
function outlineOf({ kind, path }: ScribbleInfo): readonly Point[] {
  const [a, b] = [path[0], path[1]];
  if (kind !== "box" || !a || !b) return path;
  return [a, [b[0], a[1]], b, [a[0], b[1]], a];
}
