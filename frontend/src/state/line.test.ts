import { describe, expect, it } from "vitest";
import { round } from "../editor/testing";
import type { LineInfo } from "../protocol";
import { activeRound, drawnFrames, isUndone, lineOf, membersOf, missesAhead, redoTarget } from "./line";

const rounds = new Map(
  [
    round({ id: 1, frame: 0 }),
    round({ id: 2, base: 1, frame: 5 }),
    round({ id: 3, base: 1, frame: 7, state: "running" }),
    round({ id: 4, base: 2, frame: 5, state: "queued" }),
  ].map((round) => [round.id, round]),
);

describe("the line of a round", () => {
  it("goes back to the first", () => {
    expect(lineOf(rounds, 4)).toEqual({ ids: [4, 2, 1], older: null, missing: null });
    expect(lineOf(rounds, null)).toEqual({ ids: [], older: null, missing: null });
  });

  it("says which round is not known", () => {
    expect(lineOf(rounds, 99)).toEqual({ ids: [], older: null, missing: 99 });
  });

  it("has the frames that were drawn on", () => {
    expect([...drawnFrames(rounds, lineOf(rounds, 4))]).toEqual([5, 0]);
  });
});

describe("a line whose older rounds are not loaded", () => {
  const older = {
    round: 3,
    rounds: [
      [1, 1],
      [3, 3],
    ] as [number, number][],
    ahead: [[4, 9]] as [number, number][],
    masks: [[0, 4, 3]] as [number, number, number][],
    drawn: [[2, 3]] as [number, number][],
    scribbled: {},
    painted: {},
    painted_since: {},
  };
  const loaded = new Map(
    [round({ id: 1 }), round({ id: 2 }), round({ id: 4, base: 3, frame: 8 }), round({ id: 5, base: 4 })].map(
      (each) => [each.id, each],
    ),
  );
  const lines = new Map([[3, older]]);

  it("is not known before they were described", () => {
    expect(lineOf(loaded, 5)).toEqual({ ids: [5, 4], older: null, missing: 3 });
  });

  it("has the loaded ones among them", () => {
    expect(lineOf(loaded, 5, lines)).toEqual({ ids: [5, 4, 1], older, missing: null });
    expect([1, 2, 3, 4, 5].filter(membersOf(lineOf(loaded, 5, lines)))).toEqual([1, 3, 4, 5]);
    expect(isUndone(round({ id: 2 }), lineOf(loaded, 5, lines))).toBe(true);
  });

  it("has what was drawn in them", () => {
    expect([...drawnFrames(loaded, lineOf(loaded, 5, lines))].sort()).toEqual([0, 2, 3, 8]);
  });

  it("leads to the newest round on redo, which may not be loaded", () => {
    expect(redoTarget(new Map(), 3, lines)).toBe(4);
    const newer = new Map([[7, round({ id: 7, base: 3 })]]);
    expect(redoTarget(newer, 3, lines)).toBe(7);
  });
});

describe("redo", () => {
  it("is not known before the line of a head below the loaded rounds is", () => {
    const known = new Map([[3, {} as LineInfo]]);
    expect([null, 3, 7, 8].map((head) => missesAhead(8, head, known))).toEqual([true, false, true, false]);
    expect(missesAhead(0, null, new Map()), "all rounds are loaded").toBe(false);
  });

  it("leads to the newest round with masks", () => {
    expect(redoTarget(rounds, 1, new Map())).toBe(3);
    expect(redoTarget(rounds, null, new Map())).toBe(1);
    expect(redoTarget(rounds, 4, new Map())).toBe(undefined);
  });
});

describe("the active round", () => {
  it("is the one that runs, else the one that is next", () => {
    expect(activeRound(rounds)?.id).toBe(3);
    expect(activeRound(new Map())).toBe(null);
  });
});

describe("an undone round", () => {
  it("is off the line, and at work no longer", () => {
    const line = lineOf(rounds, 2);
    expect(isUndone(round({ id: 1, frame: 0 }), line)).toBe(false);
    expect(isUndone(round({ id: 5, base: 1, frame: 7 }), line)).toBe(true);
    for (const state of ["queued", "running"] as const)
      expect(isUndone(round({ id: 6, base: 2, frame: 7, state }), line)).toBe(false);
  });
});
