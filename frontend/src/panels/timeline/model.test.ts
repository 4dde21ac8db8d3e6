import { describe, expect, test } from "vitest";
import { rangesOf, rangesWhere, sureness } from "./model";

describe("ranges of frames", () => {
  test("join what is next to each other", () => {
    expect(rangesOf([5, 1, 2, 3, 7, 7])).toEqual([
      [1, 3],
      [5, 5],
      [7, 7],
    ]);
    expect(rangesOf([])).toEqual([]);
  });

  test("are found by asking each frame, to the very last", () => {
    const has = new Set([0, 1, 4, 9]);
    expect(rangesWhere(10, (frame) => has.has(frame))).toEqual([
      [0, 1],
      [4, 4],
      [9, 9],
    ]);
    expect(rangesWhere(3, () => true)).toEqual([[0, 2]]);
    expect(rangesWhere(0, () => true)).toEqual([]);
  });
});

describe("how sure an engine is of a frame", () => {
  const summary = { round: 1, loaded: true, confidence: 0.4, weakest: 1, ids: [1], areas: null };
  test("tells no mask, not loaded and nothing there apart", () => {
    const odd = [
      sureness(undefined),
      sureness({ ...summary, round: null }),
      sureness({ ...summary, loaded: false }),
      sureness({ ...summary, confidence: null, ids: [] }),
    ];
    expect(odd).toEqual([-1, -1, -2, -3]);
    expect(sureness(summary)).toBe(0.4);
  });
});
