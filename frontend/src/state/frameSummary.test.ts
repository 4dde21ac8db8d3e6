import { describe, expect, it } from "vitest";
import { round } from "../editor/testing";
import { MaskStore } from "../masks/store";
import type { LineInfo, VideoInfo } from "../protocol";
import { sourceOf, summariesOf } from "./frameSummary";
import { lineOf } from "./line";

const older: LineInfo = {
  round: 4,
  rounds: [[1, 4]],
  ahead: [],
  masks: [
    [0, 3, 1],
    [4, 5, 4],
  ],
  drawn: [],
  scribbled: {},
  painted: {},
  painted_since: {},
};
const NONE: ReadonlyMap<number, number> = new Map();
const video = { frame_count: 8 } as VideoInfo;

describe("the round whose mask a frame has", () => {
  // Round 3 was active when its line was described, and has stored masks since.
  const rounds = new Map(
    [
      round({ id: 3, base: 2, frames: [[3, 5]] }),
      round({ id: 5, base: 4, frames: [[5, 6]] }),
      round({ id: 6, base: 5, frames: [[2, 2]] }),
    ].map((each) => [each.id, each]),
  );
  const wanted = [1, 1, 6, 3, 4, 5, 5, null];

  it("is the newest one of the line, loaded or not", () => {
    const line = lineOf(rounds, 6, new Map([[4, older]]));
    const masks = new MaskStore();
    expect(summariesOf(video, rounds, line, NONE, masks).map((summary) => summary.round)).toEqual(wanted);
    expect(wanted.map((_, frame) => sourceOf(frame, rounds, line, NONE, masks))).toEqual(wanted);
    const accepted = new Map([[2, 1]]);
    expect(sourceOf(2, rounds, line, accepted, masks)).toBe(1);
    expect(summariesOf(video, rounds, line, accepted, masks)[2]?.round).toBe(1);
  });

  it("is not known where older rounds are not", () => {
    const line = lineOf(rounds, 6);
    const masks = new MaskStore();
    expect([2, 5, 0].map((frame) => sourceOf(frame, rounds, line, NONE, masks))).toEqual([6, 5, undefined]);
  });
});
