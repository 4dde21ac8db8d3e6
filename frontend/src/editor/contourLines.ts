/** Contours that are drawn as lines: of the mask on screen where pixels are large, and of the frames before and after. */
import { contourPaths } from "../canvas/outline";
import { contourWidth, isVisible, LINES_ABOVE } from "../canvas/table";
import { scaleAcross, type View } from "../canvas/view";
import type { ObjectInfo } from "../protocol";
import type { Studio } from "../studio/studio";
import type { MapOnScreen } from "./pictureLayers";

export interface Contour {
  path: Path2D; // in pixels of the frame
  color: string;
  width: number; // pixels of the screen
  dash: readonly number[]; // pixels of the screen; none for the frame in view
}

const ONION_WIDTH = 1.5;
const BEFORE = [1.5, 4];
const AFTER = [7, 4];

/** Returns the contours to draw over the frame in view. An effect that calls it runs again on a change. */
export function contoursInView(studio: Studio, shown: MapOnScreen | null): Contour[] {
  const { store, stage } = studio;
  const view = store.view.value;
  const found: Contour[] = [];
  const add = (
    paths: Map<number, Path2D>,
    objects: readonly ObjectInfo[],
    width: number,
    dash: readonly number[],
  ) => {
    for (const object of objects) {
      const path = isVisible(object, view) ? paths.get(object.number) : undefined;
      if (path) found.push({ path, color: object.color, width, dash });
    }
  };
  const objects = shown?.objects ?? store.alive.value;
  for (let away = view.onion; away > 0; away--)
    for (const [frame, dash] of [
      [store.frame.value - away, BEFORE],
      [store.frame.value + away, AFTER],
    ] as const) {
      const round = store.summaries.value[frame]?.round;
      const mask = round === null || round === undefined ? undefined : store.masks.get(round, frame);
      if (mask) add(contourPaths(store.masks.decode(mask)), objects, ONION_WIDTH, dash);
    }
  const width = contourWidth(view);
  if (shown && width > 0 && stage.view.value.scale > LINES_ABOVE)
    add(contourPaths(shown.map), objects, width, []);
  return found;
}

export function drawContours(
  context: CanvasRenderingContext2D,
  contours: readonly Contour[],
  view: View,
): void {
  context.save();
  context.translate(Math.round(view.x), Math.round(view.y)); // as Stage.tsx places the frame
  context.lineJoin = context.lineCap = "round";
  // The path is scaled, and not the context, so that lines are as wide across as down.
  const matrix = new DOMMatrix().scale(scaleAcross(view), view.scale);
  for (const { path, color, width, dash } of contours) {
    const onStage = new Path2D();
    onStage.addPath(path, matrix);
    context.lineWidth = width;
    context.strokeStyle = color;
    context.setLineDash([...dash]);
    context.stroke(onStage);
  }
  context.restore();
}
