/** Lost objects: where an object has no mask, or almost none, although it was there before and nobody said that it is absent. */
import type { FrameSummary } from "./frameSummary";
import { covers, type Range } from "./ranges";

// An object with less than this share of its usual area is as good as lost. Engines use the same share.
const ALMOST_EMPTY = 0.02;

/** Returns the median of an object's counted areas in pixels, 0 if none is counted. */
function usualArea(summaries: readonly FrameSummary[], number: number): number {
  const areas: number[] = [];
  for (const summary of summaries) {
    const area = summary.areas?.get(number);
    if (area !== undefined) areas.push(area);
  }
  return areas.sort((a, b) => a - b)[areas.length >> 1] ?? 0;
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
  const least = ALMOST_EMPTY * usualArea(summaries, number);
  let seen = false;
  summaries.forEach((summary, frame) => {
    if (summary.round === null || !summary.loaded) return;
    if (summary.ids.includes(number) && (summary.areas?.get(number) ?? least) >= least) {
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
