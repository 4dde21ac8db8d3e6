import { describe, expect, it } from "vitest";
import { type FrameSummary, NO_MASK } from "./frameSummary";
import { covers, lostRanges } from "./lost";

const withIds = (...ids: number[]): FrameSummary => ({
  round: 1,
  loaded: true,
  confidence: 0.9,
  weakest: ids[0] ?? null,
  ids,
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

it("ranges include both of their ends", () => {
  expect([4, 5, 7, 8].map((frame) => covers([[5, 7]], frame))).toEqual([false, true, true, false]);
});
