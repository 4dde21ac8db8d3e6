import { describe, expect, it } from "vitest";
import { type FrameSummary, NO_MASK } from "../state/frameSummary";
import { missingStretches } from "./maskLoader";

const missing = (round: number): FrameSummary => ({ ...NO_MASK, round });
const here = (round: number): FrameSummary => ({ ...NO_MASK, round, loaded: true });

describe("what is still to load", () => {
  it("is asked for in stretches, nearest to the frame in view first", () => {
    const summaries = Array.from({ length: 450 }, () => missing(7));
    const found = missingStretches(summaries, 230).map(({ first }) => first);
    expect(found.slice(0, 3)).toEqual([200, 100, 300]);
    expect([...found].sort((a, b) => a - b)).toEqual([0, 100, 200, 300, 400]);
  });

  it("is asked of the round whose mask each frame has", () => {
    const summaries = [missing(1), missing(2), missing(1), here(3), NO_MASK];
    expect(missingStretches(summaries, 0)).toMatchObject([
      { round: 1, first: 0, last: 99 },
      { round: 2, first: 0, last: 99 },
    ]);
  });

  it("is nothing when all is here", () => {
    expect(missingStretches([here(1), NO_MASK], 0)).toEqual([]);
  });
});
