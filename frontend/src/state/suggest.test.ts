import { describe, expect, it } from "vitest";
import type { ObjectInfo } from "../protocol";
import { type FrameSummary, NO_MASK } from "./frameSummary";
import { type Question, suggest } from "./suggest";

const objects = [
  { number: 1, name: "rider" },
  { number: 2, name: "bike" },
] as ObjectInfo[];
const sure = (confidence: number, ids = [1, 2], weakest = 2): FrameSummary => ({
  round: 1,
  loaded: true,
  confidence,
  weakest,
  ids,
  areas: null,
});
const asked = (summaries: FrameSummary[], given: Partial<Question> = {}) =>
  suggest({
    summaries,
    before: [],
    objects,
    accepted: new Map(),
    absent: new Map(),
    moved: () => null,
    at: 0,
    shown: new Map(),
    ...given,
  });
const frames = (count: number, low: Record<number, number>): FrameSummary[] =>
  Array.from({ length: count }, (_, frame) => sure(low[frame] ?? 0.95));

describe("the next frame to fix", () => {
  it("is the one of the lowest confidence, with the reason", () => {
    expect(asked(frames(40, { 10: 0.68, 30: 0.4 }))).toEqual({
      frame: 30,
      span: [30, 30],
      lost: false,
      reason: "40 % sure of “bike”",
    });
  });

  it("is not the frame in view, an accepted one, or nothing where all is sure", () => {
    const low = frames(40, { 10: 0.68, 30: 0.4 });
    expect(asked(low, { at: 30 })?.frame).toBe(10);
    expect(asked(low, { accepted: new Map([[30, 1]]) })?.frame).toBe(10);
    expect(asked(frames(40, {}))).toBe(null);
    expect(asked([NO_MASK, NO_MASK])).toBe(null);
  });

  it("may be a drawn frame: drawing there does not make it right", () => {
    expect(asked(frames(10, { 5: 0.3 }))?.frame).toBe(5);
  });

  it("takes neighbours as one place, with the worst of them as the frame", () => {
    const low = frames(40, { 10: 0.68, 11: 0.5, 13: 0.6, 30: 0.55 });
    expect(asked(low)).toMatchObject({ frame: 11, span: [10, 13] });
    expect(asked(low, { at: 12 })?.frame).toBe(30);
  });

  it("does not come back to a frame that was shown, unless it got worse", () => {
    const low = frames(40, { 10: 0.68, 30: 0.4 });
    expect(asked(low, { shown: new Map([[30, 0.4]]) })?.frame).toBe(10);
    expect(asked(low, { shown: new Map([[30, 0.6]]) })?.frame).toBe(30);
  });

  it("says how much was lost since the round before", () => {
    const before = frames(40, {});
    expect(asked(frames(40, { 10: 0.61 }), { before })?.reason).toBe(
      "61 % sure of “bike”, 34 less than a round before",
    );
  });
});

it("says how far the edges of the object have moved in the newest round", () => {
  const low = frames(40, { 10: 0.61 });
  expect(asked(low, { moved: () => 0.34 })?.reason).toBe("61 % sure of “bike”, edges moved 34 %");
  expect(asked(low, { moved: () => 0.04 })?.reason).toBe("61 % sure of “bike”");
});

describe("a lost object", () => {
  const lost = frames(40, { 5: 0.3 }).map((summary, frame) =>
    frame >= 20 && frame < 25 ? { ...summary, ids: [1] } : summary,
  );

  it("comes before frames of low confidence", () => {
    expect(asked(lost)).toEqual({
      frame: 20,
      span: [20, 24],
      lost: true,
      reason: "“bike” is lost from 20 to 24",
    });
  });

  it("is not suggested where it is absent, nor while one looks at it", () => {
    expect(asked(lost, { absent: new Map([[2, [[20, 24]]]]) })?.frame).toBe(5);
    expect(asked(lost, { at: 22 })?.frame).toBe(5);
  });

  it("does not come back once it was shown", () => {
    expect(asked(lost, { shown: new Map([[20, 0]]) })?.frame).toBe(5);
  });

  it("is lost until the end where nothing follows", () => {
    const gone = lost.map((summary, frame) => (frame >= 20 ? { ...summary, ids: [1] } : summary));
    expect(asked(gone)?.reason).toBe("“bike” is lost from 20");
  });
});
