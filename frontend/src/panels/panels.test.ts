import { describe, expect, it } from "vitest";
import { round } from "../studio/testing";
import { stateOf } from "./Rounds";
import { progressText } from "./TopBar";

describe("what a running round has reached", () => {
  it("is said with frames per second and the time that is left", () => {
    const running = round({ id: 3, state: "running", done: 60, total: 80, seconds: 3 });
    expect(progressText(running)).toBe("round 3 · 60/80 · 20 f/s · 1 s");
  });

  it("has no rate before the first frame", () => {
    expect(progressText(round({ id: 3, state: "running", total: 80, seconds: 0.4 }))).toBe("round 3 · 0/80");
  });

  it("says that it waits, or that it stops", () => {
    expect(progressText(round({ id: 3, state: "queued" }))).toBe("round 3 · waiting for the worker");
    expect(progressText(round({ id: 3, state: "running", cancel_requested: true }))).toBe(
      "round 3 · stopping",
    );
  });
});

describe("what became of a round", () => {
  it.each([
    [{ state: "running", done: 33, total: 96 }, "34 %"],
    [{ state: "running", done: 5, cancel_requested: true }, "stopping"],
    [{ state: "queued" }, "waiting"],
    [{ state: "cancelled", done: 12 }, "stopped at 12"],
    [{ state: "cancelled", done: 0 }, "stopped"],
    [{ state: "superseded", done: 7 }, "gave way at 7"],
    [{ state: "failed" }, "failed"],
    [{ state: "done", done: 96 }, ""],
  ] as const)("%o is “%s”", (given, text) => {
    expect(stateOf(round({ id: 1, ...given }))).toBe(text);
  });
});
