import { describe, expect, it } from "vitest";
import { round } from "../editor/testing";
import { activeRound, branches, drawnFrames, isUndone, lineOf } from "./line";

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
    expect(lineOf(rounds, 4)).toEqual([4, 2, 1]);
    expect(lineOf(rounds, null)).toEqual([]);
  });

  it("ends at a round that is not known", () => {
    expect(lineOf(rounds, 99)).toEqual([]);
  });

  it("has the frames that were drawn on", () => {
    expect([...drawnFrames(rounds, [4, 2, 1])]).toEqual([5, 0]);
  });
});

describe("branches", () => {
  it("are the rounds made from one, newest first", () => {
    expect(branches(rounds, 1).map(({ id }) => id)).toEqual([3, 2]);
    expect(branches(rounds, null).map(({ id }) => id)).toEqual([1]);
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
