import { describe, expect, it } from "vitest";
import { round } from "../../editor/testing";
import type { RoundInfo } from "../../protocol";
import { type Entry, historyOf } from "./history";

const mapOf = (...rounds: RoundInfo[]) => new Map(rounds.map((each) => [each.id, each]));
const told = (entries: Entry[]) =>
  entries.map((entry) => ("round" in entry ? entry.round.number : entry.folded.map(({ number }) => number)));

describe("the history of rounds", () => {
  const rounds = mapOf(
    round({ id: 1 }),
    round({ id: 2, base: 1 }),
    round({ id: 3, base: 2 }),
    round({ id: 4, base: 1 }),
    round({ id: 5, base: 4 }),
  );

  it("folds undone branches into one row", () => {
    expect(told(historyOf(rounds, 5, 5))).toEqual([5, 4, [3, 2], 1]);
  });

  it("keeps what redo leads to", () => {
    expect(told(historyOf(rounds, 1, 1))).toEqual([5, 4, [3, 2], 1]);
    expect(told(historyOf(rounds, 2, 2))).toEqual([[5, 4], 3, 2, 1]);
    expect(told(historyOf(rounds, null, null))).toEqual([5, 4, [3, 2], 1]);
  });

  it("shows an undone round that is looked at, that failed or that runs", () => {
    expect(told(historyOf(rounds, 5, 2))).toEqual([5, 4, [3], 2, 1]);
    const failed = mapOf(...rounds.values(), round({ id: 6, base: 5, state: "failed", frames: [] }));
    expect(told(historyOf(failed, 5, 5))[0]).toBe(6);
    const running = mapOf(...rounds.values(), round({ id: 6, base: 2, state: "running", frames: [] }));
    expect(told(historyOf(running, 5, 5))[0]).toBe(6);
  });
});
