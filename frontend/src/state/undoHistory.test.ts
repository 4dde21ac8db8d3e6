import { describe, expect, it } from "vitest";
import { type Step, UndoHistory } from "./undoHistory";

function log(): {
  history: UndoHistory;
  did: string[];
  step: (name: string, able?: { undo?: boolean; redo?: boolean }) => Step;
} {
  const did: string[] = [];
  const step = (name: string, able: { undo?: boolean; redo?: boolean } = {}): Step => ({
    name,
    undoable: () => able.undo ?? true,
    undo: () => did.push(`undo ${name}`),
    redoable: () => able.redo ?? true,
    redo: () => did.push(`redo ${name}`),
  });
  return { history: new UndoHistory(), did, step };
}

describe("undo", () => {
  it("takes steps back in reverse order and does them again forwards", () => {
    const { history, did, step } = log();
    history.push(step("a"));
    history.push(step("b"));
    history.undo();
    history.undo();
    expect(history.undo()).toBe(false);
    history.redo();
    history.redo();
    expect(history.redo()).toBe(false);
    expect(did).toEqual(["undo b", "undo a", "redo a", "redo b"]);
  });

  it("passes over what cannot be taken back any more", () => {
    const { history, did, step } = log();
    history.push(step("a"));
    history.push(step("used by a round", { undo: false }));
    expect(history.nextUndo()?.name).toBe("a");
    history.undo();
    expect(did).toEqual(["undo a"]);
    expect(history.nextUndo()).toBe(undefined);
  });

  it("ends the way forward when something new is done", () => {
    const { history, step } = log();
    history.push(step("a"));
    history.undo();
    history.push(step("b"));
    expect(history.redo()).toBe(false);
  });

  it("leaves its steps where they are if something that is no step is refused", async () => {
    const { history, step } = log();
    history.push(step("a"));
    history.undo();
    history.waitFor(Promise.resolve(false));
    await history.settled;
    expect(history.done.value).toEqual([]);
    expect(history.undone.value.map(({ name }) => name)).toEqual(["a"]);
  });

  it("can bring back what was taken back without being a step of this page", () => {
    const { history, did, step } = log();
    history.takenBack(step("drawn before the reload"));
    history.redo();
    expect(did).toEqual(["redo drawn before the reload"]);
  });
});
