/** Ranges of frames. */
export type Range = readonly [first: number, last: number];

/** Whether one of `ranges` contains `frame`. */
export function covers(ranges: readonly Range[], frame: number): boolean {
  return ranges.some(([first, last]) => frame >= first && frame <= last);
}
