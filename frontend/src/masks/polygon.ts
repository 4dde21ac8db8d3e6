/** The pixels inside a polygon. A polygon that crosses itself is filled by the even-odd rule. */
import { type Bitmap, type Box, boxWithin } from "./bitmap";

export interface Corner {
  readonly x: number; // pixels of the frame; corners outside of the frame are allowed
  readonly y: number;
}

/**
 * Sets the pixels whose centre lies inside the polygon to `value`, and returns the box in which pixels may have changed.
 * Fewer than three corners have no inside.
 */
export function fillPolygon(target: Bitmap, corners: readonly Corner[], value: 0 | 1): Box {
  const [xs, ys] = [corners.map(({ x }) => x), corners.map(({ y }) => y)];
  if (corners.length < 3) return { x: 0, y: 0, w: 0, h: 0 };
  const box = boxWithin(target, Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1);
  for (let row = box.y; row < box.y + box.h; row++) {
    const crossings = crossingsAt(corners, row + 0.5);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = Math.max(0, Math.ceil((crossings[i] as number) - 0.5));
      const to = Math.min(target.width, Math.ceil((crossings[i + 1] as number) - 0.5));
      if (to > from) target.bits.fill(value, row * target.width + from, row * target.width + to);
    }
  }
  return box;
}

/** Returns where the edges cross the horizontal line at `y`, in ascending order. */
function crossingsAt(corners: readonly Corner[], y: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < corners.length; i++) {
    const a = corners[i] as Corner;
    const b = corners[(i + 1) % corners.length] as Corner;
    if (a.y <= y === b.y <= y) continue;
    found.push(a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x));
  }
  return found.sort((a, b) => a - b);
}

/** Whether two edges of the polygon cross each other. */
export function crossesItself(corners: readonly Corner[]): boolean {
  const count = corners.length;
  for (let i = 0; i < count; i++)
    for (let j = i + 2; j < count; j++) {
      if (i === 0 && j === count - 1) continue; // These two edges share the first corner.
      const [a, b] = [corners[i] as Corner, corners[(i + 1) % count] as Corner];
      const [c, d] = [corners[j] as Corner, corners[(j + 1) % count] as Corner];
      if (side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0) return true;
    }
  return false;
}

function side(a: Corner, b: Corner, p: Corner): number {
  return Math.sign((b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x));
}
