/** Draws a scribble for the selected object, or for the background with the right button or Alt. */

import { PenLine } from "lucide-preact";
import { objectToDraw } from "../actions/objects";
import { prepareFrame } from "../actions/preview";
import { refusal } from "../actions/refusal";
import { run } from "../actions/rounds";
import { draw } from "../actions/scribbles";
import { strokeReleased } from "../canvas/metrics";
import { type CanvasPoint, type Size, toFrame, toUnit } from "../canvas/view";
import type { Point } from "../protocol";
import type { Studio } from "../studio/studio";
import { inFrame, sayOutside } from "./picture";
import type { PointerState } from "./pointerState";
import type { Gesture, Tool } from "./tool";

const MOST_POINTS = 5000; // the protocol's limit
const APART = 0.6; // least distance between two points of a path, in pixels of the frame
const DIGITS = 1e5; // a hundredth of a pixel at 1080p

export const scribble: Tool = {
  name: "scribble",
  title: "Scribble on the object",
  icon: PenLine,
  keys: ["S"],
  cursor: "crosshair",
  draws: true,
  hint: "Right button or Alt: background",
  ring: "scribble",
  press: (studio, pointer, at) => begin(studio, pointer, at, studio.store.selected.peek()),
  pressAlternative: (studio, pointer, at) => begin(studio, pointer, at, 0),
  choose: ({ store }) => {
    store.tool.value = "scribble";
    if (store.selected.peek() === 0) store.selected.value = store.alive.peek()[0]?.number ?? 1;
  },
  chosen: ({ store }) => store.tool.value === "scribble" && store.selected.value !== 0,
};

function begin(studio: Studio, pointer: PointerState, at: CanvasPoint, object: number): Gesture | null {
  const { store, stage } = studio;
  if (refusal(studio, object, "draw")) return null;
  prepareFrame(studio);
  const frame = store.frame.peek();
  const path: Point[] = [];
  let inside = false;
  const add = (points: readonly CanvasPoint[]): void => {
    inside ||= points.some((point) => inFrame(studio, point));
    for (const point of points)
      extend(path, toUnit(toFrame(stage.view.peek(), point), stage.frameSize), stage.frameSize);
    pointer.live.value = { object, path: [...path] };
  };
  const done = (): void => {
    pointer.live.value = null;
  };
  add([at]);
  return {
    move: add,
    cancel: done,
    end: () => {
      done();
      if (!inside) {
        sayOutside();
        return;
      }
      strokeReleased(frame, performance.now(), store.summaries.peek()[frame]?.round ?? null);
      draw(studio, frame, objectToDraw(studio, object), thinned(path));
      if (store.view.peek().runOnRelease) run(studio, frame);
    },
  };
}

/** Appends a point unless it is too near to the last one. */
function extend(path: Point[], [x, y]: [number, number], frame: Size): void {
  const point: Point = [Math.round(x * DIGITS) / DIGITS, Math.round(y * DIGITS) / DIGITS];
  const last = path.at(-1);
  if (last) {
    const apart = Math.hypot((point[0] - last[0]) * frame.width, (point[1] - last[1]) * frame.height);
    if (apart < APART) return;
  }
  path.push(point);
}

/** Returns a path within the protocol's limit of points: every n-th point, and the last. */
export function thinned(path: readonly Point[]): Point[] {
  const every = Math.ceil(path.length / (MOST_POINTS - 1));
  return path.filter((_, index) => index % every === 0 || index === path.length - 1);
}
