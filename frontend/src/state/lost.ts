/** Lost objects: where an object has no mask although it was there before and nobody said that it is absent. */
import type { FrameSummary } from "./frameSummary";

export type Range = readonly [first: number, last: number];

/** Whether one of `ranges` contains `frame`. */
export function covers(ranges: readonly Range[], frame: number): boolean {
  return ranges.some(([first, last]) => frame >= first && frame <= last);
}

/**
 * Returns the ranges of frames in which object `number` is lost. An object that has not appeared yet is not lost: it
 * may come into the picture later. Frames whose mask is not loaded are not counted.
 */
export function lostRanges(
  summaries: readonly FrameSummary[],
  number: number,
  absent: readonly Range[],
): Range[] {
  const ranges: [number, number][] = [];
  let seen = false;
  summaries.forEach((summary, frame) => {
    if (summary.round === null || !summary.loaded) return;
    if (summary.ids.includes(number)) {
      seen = true;
      return;
    }
    if (!seen || covers(absent, frame)) return;
    const last = ranges.at(-1);
    if (last && last[1] === frame - 1) last[1] = frame;
    else ranges.push([frame, frame]);
  });
  return ranges;
}
