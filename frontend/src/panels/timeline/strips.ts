/** Where ranges of frames lie on the track, in pixels. */
import type { Range } from "./model";
import { type Scale, xOf } from "./scale";

/** Returns the left and right edges of the visible ranges, in pixels. Ranges that touch on screen are merged. */
export function strips(scale: Scale, ranges: readonly Range[]): [left: number, right: number][] {
  const result: [number, number][] = [];
  for (const [first, last] of ranges) {
    const left = Math.max(0, xOf(scale, first));
    const right = Math.min(scale.width, Math.max(xOf(scale, last + 1), left + 1));
    if (right <= 0 || left >= scale.width) continue;
    const before = result.at(-1);
    if (before && left - before[1] < 0.5) before[1] = right;
    else result.push([left, right]);
  }
  return result;
}
