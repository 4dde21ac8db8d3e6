import { describe, expect, it } from "vitest";
import { state } from "../editor/testing";
import type { FrameSummary } from "./frameSummary";
import { placesOf, type ReviewQuestion } from "./review";

const frame = (given: Partial<FrameSummary> = {}): FrameSummary => ({
  round: 2,
  loaded: true,
  ids: [1, 2],
  areas: null,
  confidence: 0.9,
  weakest: 1,
  ...given,
});

function question(given: Partial<ReviewQuestion> = {}): ReviewQuestion {
  const summaries = Array.from({ length: 12 }, () => frame());
  return {
    first: 0,
    last: 11,
    summaries,
    before: summaries.map(() => frame({ round: null })),
    objects: state().objects,
    absent: new Map(),
    accepted: new Map(),
    seen: new Set(),
    ...given,
  };
}

describe("a review", () => {
  it("begins with what is unsure, then what has changed, then the rest, each frame once", () => {
    const asked = question();
    const summaries = asked.summaries.map((summary, index) =>
      index === 5 || index === 6 ? frame({ confidence: 0.4 }) : summary,
    );
    const before = asked.before.map((summary, index) => (index === 9 ? frame({ round: 1 }) : summary));
    const places = placesOf({ ...asked, summaries, before });
    expect(places.slice(0, 2)).toEqual([
      { span: [5, 6], reason: "40 % sure of “rider”" },
      { span: [9, 9], reason: "changed by the newest round" },
    ]);
    expect(places.slice(2).map(({ span }) => span)).toEqual([
      [0, 4],
      [7, 8],
      [10, 11],
    ]);
  });

  it("leaves out what is accepted, seen, outside of the job or without a mask", () => {
    const asked = question({ first: 2, last: 8, accepted: new Map([[2, 1]]), seen: new Set([8]) });
    const summaries = asked.summaries.map((summary, index) =>
      index === 7 ? frame({ round: null }) : summary,
    );
    expect(placesOf({ ...asked, summaries }).map(({ span }) => span)).toEqual([[3, 6]]);
  });
});
