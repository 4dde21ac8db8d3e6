import { describe, expect, it } from "vitest";
import { type FrameSummary, NO_MASK } from "./frameSummary";
import { suggest } from "./suggest";

const objects = [
  { number: 2, name: "rider", color: "#ff0000", label: null, deleted: false, locked: false, position: 1 },
];
const sure = (confidence: number | null): FrameSummary => ({
  ...NO_MASK,
  round: 1,
  loaded: true,
  confidence,
  weakest: 2,
  ids: [2],
});
const summaries = [0.9, 0.7, 0.95, 0.3, 0.9, 0.9, 0.9, 0.9, 0.5, null].map(sure);
const none: ReadonlyMap<number, number> = new Map();

describe("the next frame to fix", () => {
  it("is the least sure, with the object and how sure", () => {
    expect(suggest(summaries, objects, new Set(), none, 0)).toEqual({
      frame: 3,
      reason: "30 % sure of “rider”",
    });
  });

  it("is not the one in view, nor one that is accepted or near one that was drawn on", () => {
    expect(suggest(summaries, objects, new Set(), none, 3)?.frame).toBe(8);
    expect(suggest(summaries, objects, new Set(), new Map([[3, 1]]), 0)?.frame).toBe(8);
    expect(suggest(summaries, objects, new Set([5]), none, 0)?.frame).toBe(1);
  });

  it("is none where the engine is sure", () => {
    expect(suggest([sure(0.95), sure(0.9)], objects, new Set(), none, 0)).toBe(null);
    expect(suggest([NO_MASK, NO_MASK], objects, new Set(), none, 0)).toBe(null);
  });
});
