import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ANN, BEN, type FakeStudio, fakeStudio, round, settled } from "../editor/testing";
import { packedMask } from "../masks/testing";
import { toasts } from "../parts/Toast";
import type { RoleName, RoundInfo, ScribbleInfo } from "../protocol";
import { reduce } from "../state/reduce";
import { commandOf } from "../studio/command";
import { changeObject } from "./objects";
import { RunQueue, SETTLED_AFTER } from "./queue";
import { draw } from "./scribbles";

const scribble = (key: string, frame = 0): ScribbleInfo => ({
  key,
  frame,
  object: 1,
  path: [[0.5, 0.5]],
  kind: "scribble",
  positive: true,
  author: ANN,
});
const perform = (studio: FakeStudio, id: string): void => commandOf(studio.commands, id).perform();
const enabled = (studio: FakeStudio, id: string): boolean => commandOf(studio.commands, id).enabled();
const types = (studio: FakeStudio): string[] => studio.sent.map(({ type }) => type);
let seq = 100;

/** What does not start at once waits for the log to settle. */
async function later(): Promise<void> {
  await vi.advanceTimersByTimeAsync(SETTLED_AFTER);
}

beforeEach(() => {
  vi.useFakeTimers();
  toasts.value = [];
});
afterEach(() => {
  vi.useRealTimers();
});

/** The server takes the newest scribble up. */
async function acknowledgeScribble(studio: FakeStudio): Promise<void> {
  await studio.ack("scribble.add");
}

describe("undo and redo", () => {
  it("take back the newest scribble and draw it again under a new key", async () => {
    const studio = fakeStudio();
    draw(studio, 0, 1, [[0.1, 0.1]]);
    await acknowledgeScribble(studio);
    expect(studio.store.scribbles.value.length).toBe(1);
    perform(studio, "undo");
    expect(studio.store.scribbles.value).toEqual([]);
    await studio.ack("scribble.remove");
    perform(studio, "redo");
    expect(studio.store.scribbles.value.length).toBe(1);
    const keys = studio.sent.filter(({ type }) => type === "scribble.add").map(({ key }) => key);
    expect(new Set(keys).size).toBe(2);
    perform(studio, "undo");
    expect(studio.sent.at(-1)).toMatchObject({ type: "scribble.remove", scribble: keys[1] });
  });

  it("take back scribbles from before a reload, then move the head back", () => {
    const rounds = [round({ id: 1 }), round({ id: 2, base: 1 })];
    const studio = fakeStudio({ scribbles: [scribble("a")], rounds, head: 2 });
    perform(studio, "undo");
    expect(studio.sent.at(-1)).toMatchObject({ type: "scribble.remove", scribble: "a" });
    perform(studio, "undo");
    expect(studio.sent.at(-1)).toMatchObject({ type: "head.move", from_round: 2, to_round: 1 });
  });

  it("bring a scribble from before a reload back", () => {
    const studio = fakeStudio({ scribbles: [scribble("a", 3)] });
    perform(studio, "undo");
    perform(studio, "redo");
    expect(studio.sent.at(-1)).toMatchObject({
      type: "scribble.add",
      frame: 3,
      object: 1,
      path: [[0.5, 0.5]],
    });
  });

  it("go over rounds in both directions, and say which", async () => {
    const rounds = [round({ id: 1 }), round({ id: 2, base: 1 })];
    const studio = fakeStudio({ rounds, head: 1 });
    toasts.value = [];
    perform(studio, "undo");
    expect(studio.sent.at(-1)).toMatchObject({ type: "head.move", from_round: 1, to_round: null });
    expect(toasts.value).toEqual([]);
    reduce(studio.store, { type: "head.moved", seq: seq++, head: null, by: ANN });
    await settled();
    expect(toasts.value.map(({ text }) => text)).toEqual(["Undid round 1."]);
    expect(enabled(studio, "redo")).toBe(true);
    perform(studio, "redo");
    expect(studio.sent.at(-1)).toMatchObject({ type: "head.move", from_round: null, to_round: 1 });
    reduce(studio.store, { type: "head.moved", seq: seq++, head: 1, by: ANN });
    await settled();
    expect(toasts.value.at(-1)?.text).toBe("Redid round 1.");
    reduce(studio.store, { type: "head.moved", seq: seq++, head: null, by: ANN });
    expect(enabled(studio, "undo")).toBe(false);
  });

  it("give an object its name back", async () => {
    const studio = fakeStudio();
    const rider = studio.store.alive.value[0];
    if (!rider) throw new Error("no object");
    changeObject(studio, rider, { name: "  pilot " });
    expect(studio.sent.at(-1)).toMatchObject({ type: "object.update", number: 1, name: "pilot" });
    perform(studio, "undo");
    expect(studio.sent.at(-1)).toMatchObject({ type: "object.update", number: 1, name: "rider" });
  });

  it("undo a round that was run here before the scribble under it", async () => {
    const studio = fakeStudio();
    const { running } = await runOne(studio);
    expect(running.id).toBe(11);
    perform(studio, "undo");
    expect(studio.sent.at(-1)).toMatchObject({ type: "head.move", from_round: 11, to_round: null });
  });

  it.each([
    ["done", "Round 2 is Ben's: Undo leaves it alone. The rounds list can go back."],
    ["running", "Round 2 is Ben's: Undo leaves it alone. When it has ended, the rounds list can go back."],
  ] as const)("leave somebody else's round that is %s alone, and say whose it is", (becomes, text) => {
    const rounds = [round({ id: 1 }), round({ id: 2, base: 1, author: BEN, state: becomes })];
    const studio = fakeStudio({ rounds, head: 2 });
    for (const role of ["annotator", "owner"] as const) {
      studio.store.role.value = role;
      toasts.value = [];
      expect(enabled(studio, "undo")).toBe(true);
      perform(studio, "undo");
      expect(types(studio)).toEqual([]);
      expect(toasts.value.map((shown) => shown.text)).toEqual([text]);
    }
  });

  it("leave a viewer nothing", () => {
    const studio = fakeStudio({ rounds: [round({ id: 1 })], head: 1 });
    studio.store.role.value = "viewer";
    for (const id of ["undo", "redo", "round.run", "object.add", "frame.accept", "tool.scribble"])
      expect([id, enabled(studio, id)]).toEqual([id, false]);
  });
});

/** Draws on frame 0, runs, and lets the server begin with round 11. */
async function runOne(studio: FakeStudio): Promise<{ running: RoundInfo }> {
  new RunQueue(studio);
  draw(studio, 0, 1, [[0.1, 0.1]]);
  await acknowledgeScribble(studio);
  perform(studio, "round.run");
  const running = round({ id: 11, state: "running", frames: [] });
  const keys = studio.sent.filter(({ type }) => type === "scribble.add").map(({ key }) => key);
  reduce(studio.store, { type: "scribble.removed", seq: seq++, keys });
  reduce(studio.store, { type: "round.changed", seq: seq++, round: running });
  reduce(studio.store, { type: "head.moved", seq: seq++, head: 11, by: ANN });
  await studio.ack("round.run", 11);
  return { running };
}

describe("running", () => {
  it("sends the frame, the engine and the head that the page shows", async () => {
    const studio = fakeStudio({ scribbles: [scribble("a", 4)], rounds: [round({ id: 8 })], head: 8 });
    new RunQueue(studio);
    studio.store.engine.value = "flow";
    perform(studio, "round.run");
    expect(studio.sent.at(-1)).toMatchObject({ type: "round.run", frames: [4], engine: "flow", base: 8 });
  });

  it("runs several drawn frames as one round, the one in view first", () => {
    const studio = fakeStudio({ scribbles: [scribble("a", 2), scribble("b", 7), scribble("c", 5)] });
    new RunQueue(studio);
    studio.store.frame.value = 5;
    perform(studio, "round.run");
    expect(types(studio)).toEqual(["round.run"]);
    expect(studio.sent.at(-1)).toMatchObject({ frames: [5, 2, 7], span: null, direction: "both" });
    expect(studio.store.queue.value).toEqual([]);
  });

  it("waits for the log after an acknowledgement, so that no round starts from yesterday's head", async () => {
    const studio = fakeStudio({ scribbles: [scribble("a", 2), scribble("b", 7)] });
    new RunQueue(studio);
    studio.store.queue.value = [2, 7].map((frame) => ({ frames: [frame], supersedes: false }));
    await studio.ack("round.run", 20);
    expect(types(studio)).toEqual(["round.run"]);
    reduce(studio.store, { type: "round.changed", seq: seq++, round: round({ id: 20 }) });
    reduce(studio.store, { type: "head.moved", seq: seq++, head: 20, by: ANN });
    await later();
    expect(studio.sent.at(-1)).toMatchObject({ type: "round.run", frames: [7], base: 20 });
  });

  it("takes the place of one's own running round, and waits on the server for somebody else's", async () => {
    const studio = fakeStudio();
    await runOne(studio);
    draw(studio, 0, 1, [[0.2, 0.2]]);
    perform(studio, "round.run");
    expect(studio.sent.at(-1)).toMatchObject({ type: "round.run", base: 11 });

    const theirs = round({ id: 5, author: BEN, state: "running" });
    const other = fakeStudio({ scribbles: [scribble("a")], rounds: [theirs], head: 5 });
    new RunQueue(other);
    perform(other, "round.run");
    expect(other.sent.at(-1)).toMatchObject({ type: "round.run", base: 5 });
    expect(toasts.value.at(-1)?.text).toBe(
      "Round 5 of Ben comes first. Yours runs after it, even if you leave.",
    );
  });

  it("keeps the scribbles on a conflict and runs on top of the new head", async () => {
    const studio = fakeStudio({ scribbles: [scribble("a")] });
    new RunQueue(studio);
    perform(studio, "round.run");
    const theirs = round({ id: 30, author: BEN, state: "running" });
    reduce(studio.store, { type: "round.changed", seq: seq++, round: theirs });
    await studio.refuse("round.run", "conflict", 30);
    expect(studio.store.mine.value.length).toBe(1);
    expect(types(studio)).toEqual(["round.run"]);
    await later();
    expect(studio.sent.at(-1)).toMatchObject({ type: "round.run", base: 30, frames: [0] });
  });

  it("stops asking after a few conflicts in a row", async () => {
    const studio = fakeStudio({ scribbles: [scribble("a")] });
    new RunQueue(studio);
    perform(studio, "round.run");
    for (let i = 0; i < 6 && studio.store.queue.value.length + 1; i++) {
      const count = types(studio).length;
      await studio.refuse("round.run", "conflict", null);
      await later();
      if (types(studio).length === count) break;
    }
    expect(types(studio).length).toBe(3);
    expect(studio.store.mine.value.length).toBe(1);
  });

  it("forgets what waits when cancelled", async () => {
    const studio = fakeStudio();
    await runOne(studio);
    studio.store.queue.value = [{ frames: [4], supersedes: true }];
    perform(studio, "round.cancel");
    expect(studio.sent.at(-1)).toMatchObject({ type: "round.cancel", round: 11 });
    expect(studio.store.queue.value).toEqual([]);
  });
});

describe("cancelling", () => {
  const theirs = round({ id: 5, author: BEN, state: "running" });

  it.each<[RoleName, boolean]>([
    ["viewer", false],
    ["annotator", false],
    ["reviewer", true],
    ["manager", true],
    ["owner", true],
  ])("somebody else's round, as %s: %s", (role, may) => {
    const studio = fakeStudio({ rounds: [theirs], head: 5 });
    studio.store.role.value = role;
    expect(enabled(studio, "round.cancel")).toBe(may);
  });

  it("is there for one's own round, until it was asked to stop", () => {
    const own = round({ id: 5, state: "running" });
    const studio = fakeStudio({ rounds: [own], head: 5 });
    expect(enabled(studio, "round.cancel")).toBe(true);
    reduce(studio.store, { type: "round.changed", seq: seq++, round: { ...own, cancel_requested: true } });
    expect(enabled(studio, "round.cancel")).toBe(false);
  });

  it("forgets what waits behind somebody else's round, and leaves that one alone", () => {
    const studio = fakeStudio({ rounds: [theirs], head: 5 });
    studio.store.queue.value = [{ frames: [4], supersedes: true }];
    expect(enabled(studio, "round.cancel")).toBe(true);
    perform(studio, "round.cancel");
    expect(studio.store.queue.value).toEqual([]);
    expect(types(studio)).toEqual([]);
  });
});

describe("accepting", () => {
  const rounds = [round({ id: 1 }), round({ id: 2, base: 1, frames: [[0, 3]] })];

  it("names the head that is shown, also when that is sent later", async () => {
    const studio = fakeStudio({ rounds, head: 2 });
    studio.store.masks.add([packedMask({ round: 2, frame: 0 }), packedMask({ round: 1, frame: 5 })]);
    await settled();
    studio.online.value = false;
    perform(studio, "frame.accept");
    studio.store.frame.value = 5;
    perform(studio, "frame.accept");
    reduce(studio.store, { type: "round.changed", seq: seq++, round: round({ id: 3, base: 2 }) });
    reduce(studio.store, { type: "head.moved", seq: seq++, head: 3, by: BEN });
    studio.online.value = true;
    studio.outbox.flush();
    expect(studio.sent).toMatchObject([
      { type: "frames.accept", first: 0, last: 0, accepted: true, head: 2 },
      { type: "frames.accept", first: 5, last: 5, accepted: true, head: 2 },
    ]);
    await studio.refuse("frames.accept", "conflict", 3);
    expect(toasts.value.at(-1)?.text).toBe("refused: conflict");
  });

  it("waits until the mask is here, and releases without it", () => {
    const studio = fakeStudio({ rounds, head: 2, accepted: { 4: 1 } });
    expect(enabled(studio, "frame.accept")).toBe(false);
    studio.store.frame.value = 4;
    perform(studio, "frame.accept");
    expect(studio.sent).toMatchObject([{ type: "frames.accept", first: 4, last: 4, accepted: false }]);
  });
});

describe("scribbles", () => {
  it("are there before, while and after they are saved", async () => {
    const studio = fakeStudio();
    studio.online.value = false;
    draw(studio, 1, 2, [[0.3, 0.3]]);
    expect(studio.store.scribbles.value.length).toBe(1);
    studio.online.value = true;
    studio.outbox.flush();
    await acknowledgeScribble(studio);
    expect(studio.store.unsaved.value).toEqual([]);
    expect(studio.store.scribbles.value.length).toBe(1);
    expect(studio.store.savedAt.value).not.toBe(null);
  });

  it("that the database did not take stay, and are sent again", async () => {
    const studio = fakeStudio();
    draw(studio, 1, 2, [[0.3, 0.3]]);
    await studio.refuse("scribble.add", "not_stored");
    expect(studio.store.scribbles.value.length).toBe(1);
    await vi.advanceTimersByTimeAsync(2000);
    expect(types(studio)).toEqual(["scribble.add", "scribble.add"]);
    await acknowledgeScribble(studio);
    expect(studio.store.savedAt.value).not.toBe(null);
  });

  it("that the server refuses are taken away", async () => {
    const studio = fakeStudio();
    draw(studio, 1, 2, [[0.3, 0.3]]);
    await studio.refuse("scribble.add", "no_object");
    expect(studio.store.scribbles.value).toEqual([]);
  });

  it("come back when their removal is refused", async () => {
    const studio = fakeStudio({ scribbles: [scribble("a")] });
    perform(studio, "undo");
    expect(studio.store.scribbles.value).toEqual([]);
    await studio.refuse("scribble.remove", "scribble_used");
    expect(studio.store.scribbles.value.length).toBe(1);
  });
});
