/** What is not finished in a range of frames: objects that are lost, frames that are unsure, empty or not accepted. */
import type { PinInfo } from "../protocol";
import { lostRanges } from "./lost";
import type { Range } from "./ranges";
import type { Store } from "./store";
import { needsFix } from "./suggest";

export interface Unfinished {
  lost: { number: number; name: string; ranges: Range[] }[];
  unsure: Range[];
  /** Frames that no round has reached. */
  empty: Range[];
  notAccepted: Range[];
}

/** Reads signals of the store, so that a component that calls it follows them. `first` and `last` are frames. */
export function unfinishedIn(store: Store, first: number, last: number): Unfinished {
  const summaries = store.summaries.value;
  const accepted = store.accepted.value;
  const where = (is: (frame: number) => boolean) => rangesIn(first, last, is);
  const lost = store.alive.value.map(({ number, name }) => ({
    number,
    name,
    ranges: clipped(lostRanges(summaries, number, store.decided.value.get(number) ?? []), first, last),
  }));
  return {
    lost: lost.filter(({ ranges }) => ranges.length > 0),
    unsure: where((frame) => needsFix(summaries[frame]) && !accepted.has(frame)),
    empty: where((frame) => (summaries[frame]?.round ?? null) === null),
    notAccepted: where((frame) => !accepted.has(frame)),
  };
}

/** Returns the open pins of a range of frames, by frame. Reads signals of the store. */
export function openPinsIn(store: Store, first: number, last: number): PinInfo[] {
  const open = store.pins.value.filter((pin) => pin.resolved_at === null);
  return open.filter(({ frame }) => first <= frame && frame <= last).sort((a, b) => a.frame - b.frame);
}

/** Returns the ranges between `first` and `last` (inclusive) in which `is` holds. */
export function rangesIn(first: number, last: number, is: (frame: number) => boolean): Range[] {
  const ranges: [number, number][] = [];
  for (let frame = first; frame <= last; frame += 1) {
    if (!is(frame)) continue;
    const before = ranges.at(-1);
    if (before && before[1] === frame - 1) before[1] = frame;
    else ranges.push([frame, frame]);
  }
  return ranges;
}

function clipped(ranges: readonly Range[], first: number, last: number): Range[] {
  return ranges
    .filter((range) => range[1] >= first && range[0] <= last)
    .map((range) => [Math.max(first, range[0]), Math.min(last, range[1])]);
}

/** Returns the number of frames in ranges. */
export function countOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}
