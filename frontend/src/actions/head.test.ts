import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fakeStudio, round } from "../editor/testing";
import type { RoundInfo } from "../protocol";
import { drawingCommands } from "./drawingCommands";
import { headStep, moveHead, roundForward } from "./head";

describe("redo from a head below the loaded rounds", () => {
  it("leads nowhere before the line of the head is loaded", () => {
    const studio = fakeStudio({
      rounds: [round({ id: 3 }), round({ id: 4, base: 3 }), round({ id: 8 })],
      head: 3,
    });
    expect(roundForward(studio)).toBe(4);
    studio.store.older.value = { before: 8, count: 7 };
    expect(roundForward(studio), "round 5, which is not loaded, may be based on round 3").toBe(undefined);
  });
});

describe("undo while the round of the head is not loaded", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function ready() {
    const studio = fakeStudio({ rounds: [round({ id: 7, base: 6 })], head: 5 });
    const { store, history } = studio;
    const undone: string[] = [];
    const step = { undoable: () => true, redoable: () => true, redo: () => {} };
    history.push({ name: "rename of rider", undo: () => undone.push("rename"), ...step });
    history.push({ name: "round", ...headStep(studio, 5) });
    const command = drawingCommands(studio).find(({ id }) => id === "undo");
    const undo = () => command?.enabled?.() && command.perform();
    const arrive = (info: RoundInfo) => {
      store.rounds.value = new Map(store.rounds.peek()).set(info.id, info);
    };
    const moves = () =>
      studio.sent.flatMap((message) => (message.type === "head.move" ? [message.to_round] : []));
    return { studio, undo, undone, arrive, moves };
  }

  it("waits for the round, and undoes no older step meanwhile", async () => {
    const { studio, undo, undone, arrive, moves } = ready();
    undo();
    undo();
    expect([undone, moves()]).toEqual([[], []]);
    arrive(round({ id: 5, base: 4 }));
    await vi.advanceTimersByTimeAsync(0);
    undo();
    expect([undone, moves()], "until the head has moved").toEqual([[], [4]]);
    studio.store.head.value = 4;
    await vi.advanceTimersByTimeAsync(0);
    undo();
    expect(undone, "after the wait").toEqual(["rename"]);
  });

  it("ends the wait when the head is moved, or after a while", async () => {
    const moved = ready();
    moved.undo();
    moved.studio.store.head.value = 7;
    await vi.advanceTimersByTimeAsync(0);
    moved.undo();
    const late = ready();
    late.undo();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([moved.undone, late.undone]).toEqual([["rename"], []]);
    late.arrive(round({ id: 5, base: 4 }));
    await vi.advanceTimersByTimeAsync(0);
    expect(late.moves()).toEqual([]);
    late.undo();
    expect([late.undone, late.moves()], "the round can still be undone").toEqual([[], [4]]);
  });
});

describe("a move of the head", () => {
  it("has not happened if somebody else moved the head, and the server refuses it", async () => {
    const studio = fakeStudio({ rounds: [round({ id: 1 }), round({ id: 2, base: 1 })], head: 2 });
    const moved = moveHead(studio, 1);
    studio.store.head.value = 99;
    await Promise.resolve();
    await studio.refuse("head.move", "conflict", 99);
    expect(await moved).toBe(false);
  });
});
