/**
 * Draws a polygon corner by corner. Its corners can be moved until Enter, or a double click, takes it; a click on the first
 * corner closes it. With the right button or Alt it takes pixels away.
 */

import { Pentagon } from "lucide-preact";
import { discardPolygon, polygonHere, takePolygon } from "../actions/polygon";
import { refusal } from "../actions/refusal";
import { distanceTo } from "../canvas/scribbles";
import { framePoint, toCanvas, toFrame } from "../canvas/view";
import type { Corner } from "../masks/polygon";
import type { Polygon } from "../state/polygon";
import type { Studio } from "../studio/studio";
import type { Gesture, PointerSample, Tool } from "./tool";

const REACH = 9; // CSS pixels around a corner in which it is taken hold of
const FINGER = 16; // the same for a first corner that is far from the others, which a finger has to hit
const MOST_CORNERS = 2000;

export const polygon: Tool = {
  name: "polygon",
  title: "Draw a polygon",
  icon: Pentagon,
  keys: ["Shift+P"],
  cursor: "crosshair",
  draws: true,
  hint: "Drag corners · first corner closes · Enter takes it · right button or Alt: take away",
  paints: true,
  press: (studio, _pointer, at) => press(studio, at, true),
  pressAlternative: (studio, _pointer, at) => press(studio, at, false),
};

function press(studio: Studio, at: PointerSample, adds: boolean): Gesture | null {
  const { store } = studio;
  const drawn = polygonHere(store);
  if (!drawn) {
    if (refusal(studio, store.selected.peek(), "paint")) return null;
    const object = store.selected.peek();
    const corners = [cornerAt(studio, at)];
    store.polygon.value = { frame: store.frame.peek(), object, corners, adds, closed: false };
    return moving(studio, 0, () => {});
  }
  const corner = cornerUnder(studio, drawn, at);
  if (corner !== null) return moving(studio, corner, () => clicked(studio, corner));
  if (drawn.corners.length >= MOST_CORNERS) return null;
  const place = drawn.closed ? edgeUnder(studio, drawn, at) : drawn.corners.length;
  if (place === null) return null;
  const corners = drawn.corners.toSpliced(place, 0, cornerAt(studio, at));
  store.polygon.value = { ...drawn, corners };
  return moving(studio, place, () => {});
}

/** Moves a corner with the pointer. `clicked` is called if the pointer is released where it was pressed. */
function moving(studio: Studio, corner: number, clicked: () => void): Gesture {
  const { store } = studio;
  const before = store.polygon.peek();
  let moved = false;
  return {
    move: (points) => {
      const to = points.at(-1);
      const drawn = store.polygon.peek();
      if (!to || !drawn) return;
      moved = true;
      store.polygon.value = { ...drawn, corners: drawn.corners.with(corner, cornerAt(studio, to)) };
    },
    end: () => {
      if (!moved) clicked();
    },
    cancel: () => {
      if (before?.corners.length === 1) discardPolygon(store);
      else store.polygon.value = before;
    },
  };
}

/** A click on the first corner closes the polygon; a second click on the last one takes it. */
function clicked(studio: Studio, corner: number): void {
  const { store } = studio;
  const drawn = store.polygon.peek();
  if (!drawn || drawn.corners.length < 3) return;
  if (corner === drawn.corners.length - 1) takePolygon(studio);
  else if (corner === 0) store.polygon.value = { ...drawn, closed: true };
}

function cornerAt(studio: Studio, at: PointerSample): Corner {
  const { x, y } = toFrame(studio.stage.view.peek(), at);
  const { width, height } = studio.stage.frameSize;
  return { x: Math.max(0, Math.min(width, x)), y: Math.max(0, Math.min(height, y)) };
}

function onCanvas(studio: Studio, drawn: Polygon) {
  const view = studio.stage.view.peek();
  return drawn.corners.map(({ x, y }) => toCanvas(view, framePoint(x, y)));
}

/** Returns the index of the corner near `at`; null if there is none. The nearest of several counts. */
function cornerUnder(studio: Studio, drawn: Polygon, at: PointerSample): number | null {
  let [best, least] = [null as number | null, REACH];
  onCanvas(studio, drawn).forEach((corner, index) => {
    const distance = Math.hypot(corner.x - at.x, corner.y - at.y);
    const reach = index === 0 && !drawn.closed ? FINGER : REACH;
    if (distance > reach || (best !== null && distance >= least)) return;
    [best, least] = [index, distance];
  });
  return best;
}

/** Returns the place for a new corner on the edge near `at`; null if no edge is near. */
function edgeUnder(studio: Studio, drawn: Polygon, at: PointerSample): number | null {
  const corners = onCanvas(studio, drawn);
  const found = corners.findIndex((corner, index) => {
    const next = corners[(index + 1) % corners.length];
    return next !== undefined && distanceTo(at, [corner, next]) <= REACH;
  });
  return found < 0 ? null : found + 1;
}
