import { describe, expect, it } from "vitest";
import { round } from "../../editor/testing";
import type { LineInfo, RoundInfo } from "../../protocol";
import { type Entry, historyOf as rowsOf, splitAt } from "./history";

const historyOf = (rounds: ReadonlyMap<number, RoundInfo>, head: number | null, shown: number | null) =>
  rowsOf({ rounds, lines: new Map(), head, shown, before: 0 });
const mapOf = (...rounds: RoundInfo[]) => new Map(rounds.map((each) => [each.id, each]));
const told = (entries: readonly Entry[]) =>
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

  it("leaves older rounds out that are neither the head nor shown nor active, and says where they are", () => {
    const line = { masks: [], drawn: [], scribbled: {}, painted: {}, painted_since: {} };
    const lines = new Map([[2, { ...line, round: 2, rounds: [[1, 2]], ahead: [[3, 5]] } as LineInfo]]);
    const loaded = mapOf(
      round({ id: 1 }),
      round({ id: 2, base: 1 }),
      round({ id: 5, base: 4 }),
      round({ id: 6 }),
    );
    const entries = rowsOf({ rounds: loaded, lines, head: 2, shown: 2, before: 5 });
    expect(told(entries)).toEqual([[6], 5, 2]); // Redo leads to round 5 over rounds that are not loaded.
    expect(splitAt(entries, 5).map(told)).toEqual([[[6], 5], [2]]);
    expect(splitAt(entries, 0).map(told)).toEqual([[[6], 5, 2], []]);
  });

  it("follows redo to a newer branch, also from a round that is not loaded", () => {
    const lines = new Map([[50, { rounds: [[1, 50]], ahead: [[51, 60]] } as LineInfo]]);
    const rowsWith = (...newer: RoundInfo[]) => {
      const loaded = [50, 51, 55, 60].map((id) => round({ id, base: id - 1 }));
      return told(rowsOf({ rounds: mapOf(...loaded, ...newer), lines, head: 50, shown: 50, before: 50 }));
    };
    expect(rowsWith()).toEqual([60, 55, 51, 50]);
    expect(rowsWith(round({ id: 121, base: 51 }))).toEqual([121, [60, 55], 51, 50]);
    expect(rowsWith(round({ id: 121, base: 53 }))).toEqual([121, [60, 55], 51, 50]);
    expect(rowsWith(round({ id: 121, base: 57 }))).toEqual([121, [60], 55, 51, 50]);
    expect(rowsWith(round({ id: 121, base: 60 }))).toEqual([121, 60, 55, 51, 50]);
  });

  it("leads nowhere before it is known where redo leads", () => {
    const loaded = mapOf(round({ id: 2, base: 1 }), round({ id: 4, base: 2 }), round({ id: 6 }));
    const lines = new Map();
    expect(told(rowsOf({ rounds: loaded, lines, head: 2, shown: 2, before: 4 }))).toEqual([[6, 4], 2]);
  });

  it("shows an undone round that is looked at, that failed or that runs", () => {
    expect(told(historyOf(rounds, 5, 2))).toEqual([5, 4, [3], 2, 1]);
    const failed = mapOf(...rounds.values(), round({ id: 6, base: 5, state: "failed", frames: [] }));
    expect(told(historyOf(failed, 5, 5))[0]).toBe(6);
    const running = mapOf(...rounds.values(), round({ id: 6, base: 2, state: "running", frames: [] }));
    expect(told(historyOf(running, 5, 5))[0]).toBe(6);
  });
});
