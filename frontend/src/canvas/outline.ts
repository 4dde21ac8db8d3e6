/**
 * The contours of a label map as lines, which keep their width on screen at every zoom. Lines go through the middle of the
 * pixels' sides, so that a contour is smooth where pixels are large, and never more than half a pixel from their border.
 */
import type { DecodedMask } from "../masks/contour";
import { labelsOf } from "../masks/decode";

/** A line along the sides of pixels: x, y, x, y, ... in pixels of the frame. A closed line ends where it begins. */
export type Line = readonly number[];

// Directions along the sides of pixels, clockwise: right, down, left, up. A line has its object on the right-hand side.
const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

/** Returns the lines around each object, by object id. The edge of the frame is no contour. */
export function outlines(map: DecodedMask): Map<number, Line[]> {
  const found = new Map<number, Line[]>();
  for (const [object, sides] of sidesOf(map)) found.set(object, linesOf(sides, map.width + 1));
  return found;
}

/** By object: for each corner of pixels (y * (width + 1) + x) the directions in which a side leaves it, as bits. */
function sidesOf(map: DecodedMask): Map<number, Map<number, number>> {
  const labels = labelsOf(map);
  const objects = new Map<number, Map<number, number>>();
  const stride = map.width + 1;
  for (let i = 0; i < map.rim.length; i++) {
    const cell = map.rimCells[i] as number;
    if (cell >> 8 !== 1) continue;
    const object = cell & 255;
    const pixel = map.rim[i] as number;
    const [column, row] = [pixel % map.w, Math.floor(pixel / map.w)];
    const [x, y] = [column + map.x, row + map.y];
    let sides = objects.get(object);
    if (!sides) {
      sides = new Map();
      objects.set(object, sides);
    }
    const add = (corner: number, direction: number): void => {
      sides.set(corner, (sides.get(corner) ?? 0) | (1 << direction));
    };
    const differs = (inBox: boolean, neighbour: number): boolean => !inBox || labels[neighbour] !== object;
    if (y > 0 && differs(row > 0, pixel - map.w)) add(y * stride + x, 0);
    if (x + 1 < map.width && differs(column + 1 < map.w, pixel + 1)) add(y * stride + x + 1, 1);
    if (y + 1 < map.height && differs(row + 1 < map.h, pixel + map.w)) add((y + 1) * stride + x + 1, 2);
    if (x > 0 && differs(column > 0, pixel - 1)) add((y + 1) * stride + x, 3);
  }
  return objects;
}

/** Joins sides to lines: first those that begin at the edge of the frame, then the closed ones. */
function linesOf(sides: Map<number, number>, stride: number): Line[] {
  const lines: Line[] = [];
  const entered = new Map<number, number>();
  for (const [corner, directions] of sides)
    for (let direction = 0; direction < 4; direction++)
      if (directions & (1 << direction)) {
        const to = moved(corner, direction, stride);
        entered.set(to, (entered.get(to) ?? 0) + 1);
      }
  for (const corner of [...sides.keys()]) if (!entered.has(corner)) lines.push(follow(sides, corner, stride));
  for (const corner of [...sides.keys()])
    while ((sides.get(corner) ?? 0) > 0) lines.push(follow(sides, corner, stride));
  return lines;
}

/** Follows the sides from a corner to the line's end, and removes them. */
function follow(sides: Map<number, number>, start: number, stride: number): Line {
  const line = [start % stride, Math.floor(start / stride)];
  let direction = -1;
  for (let corner = start; ; ) {
    const out = sides.get(corner) ?? 0;
    if (out === 0) return line;
    direction = chosen(out, direction);
    sides.set(corner, out & ~(1 << direction));
    corner = moved(corner, direction, stride);
    line.push(corner % stride, Math.floor(corner / stride));
    if (corner === start) return line;
  }
}

/** Where two pixels of an object touch at a corner only, the line turns right and so stays with its pixel. */
function chosen(out: number, before: number): number {
  const order = before < 0 ? [0, 1, 2, 3] : [(before + 1) % 4, before, (before + 3) % 4];
  return order.find((direction) => out & (1 << direction)) ?? 0;
}

function moved(corner: number, direction: number, stride: number): number {
  const [dx, dy] = STEPS[direction] as readonly [number, number];
  return corner + dx + dy * stride;
}

/** Adds a line to a path as a smooth curve through the middles of its sides. */
export function addSmooth(path: Path2D, line: Line): void {
  const count = line.length / 2;
  const x = (i: number): number => line[2 * i] as number;
  const y = (i: number): number => line[2 * i + 1] as number;
  const closed = x(0) === x(count - 1) && y(0) === y(count - 1);
  if (closed) path.moveTo((x(0) + x(1)) / 2, (y(0) + y(1)) / 2);
  else {
    path.moveTo(x(0), y(0));
    path.lineTo((x(0) + x(1)) / 2, (y(0) + y(1)) / 2);
  }
  for (let i = 1; i + 1 < count; i++)
    path.quadraticCurveTo(x(i), y(i), (x(i) + x(i + 1)) / 2, (y(i) + y(i + 1)) / 2);
  if (closed) path.quadraticCurveTo(x(0), y(0), (x(0) + x(1)) / 2, (y(0) + y(1)) / 2);
  else path.lineTo(x(count - 1), y(count - 1));
}

const paths = new WeakMap<DecodedMask, Map<number, Path2D>>(); // A decoded mask never changes.

/** Returns the contour of each object as a path in pixels of the frame. */
export function contourPaths(map: DecodedMask): Map<number, Path2D> {
  let known = paths.get(map);
  if (!known) {
    known = new Map();
    for (const [object, lines] of outlines(map)) {
      const path = new Path2D();
      for (const line of lines) addSmooth(path, line);
      known.set(object, path);
    }
    paths.set(map, known);
  }
  return known;
}
