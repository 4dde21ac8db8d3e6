import { describe, expect, it } from "vitest";
import { whyNoFrames } from "../editor/states";
import { round } from "../editor/testing";
import type { ObjectInfo, RoundInfo, RoundScores, RoundScribble } from "../protocol";
import { changeText, stateOf, whatOf } from "./Rounds";
import { cancelTitle, progressText } from "./RunButton";
import { changeOf } from "./Scores";

const SCRIBBLE: RoundScribble = {
  object_id: 1,
  path: [[0.5, 0.5]],
  frame: 4,
  kind: "scribble",
  positive: true,
};

describe("what a running round has reached", () => {
  it("is said with frames per second and the time that is left", () => {
    const running = round({ id: 3, state: "running", done: 60, total: 80, seconds: 3 });
    expect(progressText(running)).toBe("60/80 · 1 s");
    expect(cancelTitle(running)).toMatch(/^It computes 20 frames a second\. Stops/);
  });

  it("has no rate before the first frame", () => {
    expect(progressText(round({ id: 3, state: "running", total: 80, seconds: 0.4 }))).toBe("0/80");
  });

  it("says that it waits, or that it stops", () => {
    expect(progressText(round({ id: 3, state: "queued" }))).toBe("waiting");
    expect(progressText(round({ id: 3, state: "running", cancel_requested: true }))).toBe("");
  });
});

describe("what became of a round", () => {
  it.each([
    [{ state: "running", done: 33, total: 96 }, "34 %"],
    [{ state: "running", done: 5, cancel_requested: true }, "stopping"],
    [{ state: "queued" }, "waiting"],
    [{ state: "cancelled", done: 12 }, "stopped at 12"],
    [{ state: "cancelled", done: 0 }, "stopped"],
    [{ state: "superseded", done: 7 }, "replaced at 7"],
    [{ state: "failed" }, "failed"],
    [{ state: "done", done: 96 }, ""],
  ] as const)("%o is “%s”", (given, text) => {
    expect(stateOf(round({ id: 1, ...given }))).toBe(text);
  });
});

describe("the change of J&F", () => {
  const scores = (...objects: [number, number][]): RoundScores => ({
    round: 1,
    number: 1,
    j: 0,
    f: 0,
    jf: objects.reduce((sum, [, jf]) => sum + jf, 0) / objects.length,
    objects: objects.map(([object, jf]) => ({ object, truth: object, j: jf, f: jf })),
    frames: {},
  });

  it("is that of the objects which both rounds have: a new one takes nothing away", () => {
    expect(changeOf(scores([1, 0.98], [2, 0.7]), scores([1, 0.96]))).toBeCloseTo(0.02);
    expect(changeOf(scores([1, 0.8], [2, 0.6]), scores([1, 0.9], [2, 0.6]))).toBeCloseTo(-0.05);
    expect(changeOf(scores([2, 0.8]), scores([1, 0.9]))).toBe(null);
  });

  it("has no direction where it rounds to nothing", () => {
    expect(changeText(0.0213)).toBe("▲ .021");
    expect(changeText(-0.1314)).toBe("▼ .131");
    expect(changeText(-0.0004)).toBe(".000");
  });
});

describe("a video without frames", () => {
  it("says why", () => {
    expect(whyNoFrames({ state: "failed", error: "No frame can be decoded." })).toBe(
      "No frame can be decoded.",
    );
    expect(whyNoFrames({ state: "importing", error: "" })).toContain("has not ended");
    expect(whyNoFrames({ state: "cancelled", error: "" })).toContain("cancelled");
  });
});

describe("the row of a version", () => {
  const objects = [{ number: 1, name: "rider" }] as ObjectInfo[];
  const edit = { op: "clear", objects: [1], first: 3, last: 9, source: null, into: null } as const;

  it.each([
    [{}, "frame 4 · from its mask"],
    [{ scribbles: [SCRIBBLE, SCRIBBLE] }, "frame 4 · 2 scribbles"],
    [{ drawn: [4, 7], scribbles: [SCRIBBLE] }, "2 frames · 1 scribble"],
    [{ origin: "painted", objects: [1] }, "frame 4 · painted rider"],
    [{ origin: "edited", edit: { ...edit, objects: [...edit.objects] } }, "3–9 · cleared rider"],
  ] as const)("says what it is: %o", (given, text) => {
    expect(whatOf(round({ id: 3, frame: 4, ...(given as Partial<RoundInfo>) }), objects)).toBe(text);
  });
});
