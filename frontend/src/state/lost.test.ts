import { describe, expect, it } from "vitest";
import { type FrameSummary, NO_MASK } from "./frameSummary";
import { lostRanges } from "./lost";
import { covers } from "./ranges";

const withIds = (...ids: number[]): FrameSummary => ({
  round: 1,
  loaded: true,
  confidence: 0.9,
  weakest: ids[0] ?? null,
  ids,
  areas: null,
});

describe("a lost object", () => {
  const summaries = [withIds(), withIds(1), withIds(1), withIds(), withIds(), withIds(1), withIds()];

  it("has no mask after it was seen", () => {
    expect(lostRanges(summaries, 1, [])).toEqual([
      [3, 4],
      [6, 6],
    ]);
  });

  it("is not lost where a person said that it is absent", () => {
    expect(lostRanges(summaries, 1, [[4, 9]])).toEqual([[3, 3]]);
  });

  it("is not lost where nothing was computed, or before it came", () => {
    expect(lostRanges([withIds(), withIds(1), NO_MASK, { ...withIds(), loaded: false }], 1, [])).toEqual([]);
    expect(lostRanges(summaries, 2, [])).toEqual([]);
  });
});

it("is lost, too, where its mask is almost empty", () => {
  const withArea = (area: number): FrameSummary => ({ ...withIds(1), areas: new Map([[1, area]]) });
  const summaries = [withArea(1000), withArea(900), withArea(19), withArea(3), withArea(60), withIds(1)];
  expect(lostRanges(summaries, 1, [])).toEqual([]);
  const usual = Array.from({ length: 9 }, () => withArea(1000));
  expect(lostRanges([...usual, ...summaries], 1, [])).toEqual([[11, 12]]);
});

it("ranges include both of their ends", () => {
  expect([4, 5, 7, 8].map((frame) => covers([[5, 7]], frame))).toEqual([false, true, true, false]);
});
