import { computed } from "@preact/signals";
import { describe, expect, it, vi } from "vitest";
import { BEN, type FakeStudio, fakeStudio, round, settled } from "../editor/testing";
import { packedMask } from "../masks/testing";
import type { LineInfo, RoundInfo } from "../protocol";
import { headStep } from "./head";
import { RunQueue } from "./queue";
import { cancel, canGoOn, framesToRun, goOn, run, unreachedBy } from "./rounds";
import { draw } from "./scribbles";

const NONE: ReadonlyMap<number, number> = new Map();
const runs = (studio: FakeStudio) => studio.sent.filter(({ type }) => type === "round.run");
const stopped = (given: Partial<RoundInfo>): RoundInfo =>
  round({ id: 3, frame: 4, state: "cancelled", frames: [[2, 6]], ...given });

describe("what a round did not reach", () => {
  it.each<[string, Partial<RoundInfo>, [number, number, number | null][]]>([
    [
      "both ends",
      {},
      [
        [0, 2, 2],
        [6, 9, 6],
      ],
    ],
    ["one direction", { direction: "forward" }, [[6, 9, 6]]],
    ["its span", { span: [2, 7] }, [[6, 7, 6]]],
    [
      "frames that were drawn on",
      { drawn: [4, 8] },
      [
        [0, 2, 2],
        [7, 9, null],
      ],
    ],
    ["nothing", { frames: [[0, 9]] }, []],
  ])("is %s", (_, given, parts) => {
    const found = unreachedBy(stopped(given), 10, NONE).map(({ span, from }) => [...span, from]);
    expect(found).toEqual(parts);
  });

  it("leaves out accepted frames", () => {
    const accepted = new Map([0, 1, 7, 8, 9].map((frame) => [frame, 1]));
    expect(unreachedBy(stopped({}), 10, accepted)).toEqual([]);
  });
});

describe("a stopped round", () => {
  it("goes on from its last masks in both directions, with rounds that wait for one another", async () => {
    const studio = fakeStudio({ rounds: [stopped({ objects: [1] })], head: 3 });
    new RunQueue(studio);
    expect(canGoOn(studio, stopped({}))).toBe(true);
    goOn(studio, stopped({ objects: [1] }));
    await studio.ack("round.run", 4);
    studio.store.rounds.value = new Map(studio.store.rounds.value).set(4, round({ id: 4, base: 3 }));
    studio.store.head.value = 4;
    const common = { type: "round.run", objects: [1], from_masks: true, supersedes: false };
    expect(runs(studio)).toMatchObject([
      { ...common, frames: [2], span: [0, 2], direction: "backward", base: 3 },
      { ...common, frames: [6], span: [6, 9], direction: "forward", base: 4 },
    ]);
  });

  it("can go on only while the video stands at it", () => {
    const studio = fakeStudio({ rounds: [stopped({}), round({ id: 4, base: 3 })], head: 4 });
    expect(canGoOn(studio, stopped({}))).toBe(false);
  });
});

describe("a painted mask", () => {
  const painted = round({ id: 2, base: 1, frame: 5, origin: "painted", engine: "", frames: [[5, 5]] });

  async function opened(given: Partial<RoundInfo> = {}, accepted = {}): Promise<FakeStudio> {
    const rounds = [round({ id: 1 }), { ...painted, ...given }];
    const studio = fakeStudio({ rounds, head: 2, accepted });
    studio.store.masks.add([packedMask({ round: 2, frame: 5 })]);
    await settled();
    return studio;
  }

  it("is taken through the video by the next round", async () => {
    const studio = await opened();
    new RunQueue(studio);
    expect(framesToRun(studio)).toEqual([5]);
    run(studio);
    expect(runs(studio)).toMatchObject([{ frames: [5], from_masks: true, base: 2 }]);
  });

  it("is not, if somebody else painted it, if it is accepted, or outside of the in and out points", async () => {
    expect(framesToRun(await opened({ author: BEN }))).toEqual([]);
    expect(framesToRun(await opened({}, { 5: 2 }))).toEqual([]);
    const studio = await opened();
    studio.store.scope.value = { ...studio.store.scope.value, first: 6 };
    expect(framesToRun(studio)).toEqual([]);
  });
});

it("runs all painted frames when an older round is loaded below some that are not", () => {
  const byHand = (id: number): RoundInfo =>
    round({ id, base: id - 1, frame: id, origin: "painted", engine: "", frames: [[id, id]] });
  // Rounds 3 to 5 were painted on round 2, and are not loaded.
  const line: LineInfo = {
    round: 5,
    rounds: [[1, 5]],
    ahead: [],
    masks: [
      [0, 2, 2],
      [3, 3, 3],
      [4, 4, 4],
      [5, 5, 5],
    ],
    drawn: [],
    scribbled: {},
    painted: {},
    painted_since: { 1: [[3, 5]] },
  };
  const rounds = [round({ id: 2, base: 1 }), byHand(6), byHand(7)];
  const studio = fakeStudio({ rounds, head: 7, older: { before: 6, count: 5, line } });
  const summaries = studio.store.summaries.value.map((summary) => ({ ...summary, ids: [1] }));
  const { store } = studio;
  const shown = { ...studio, store: { ...store, summaries: computed(() => summaries) } };
  expect(framesToRun(shown)).toEqual([3, 4, 5, 6, 7]);
});

describe("a round that was just sent", () => {
  async function sent(): Promise<FakeStudio> {
    const studio = fakeStudio({ rounds: [round({ id: 1 })], head: 1 });
    new RunQueue(studio);
    draw(studio, 4, 1, [[0.5, 0.5]]);
    run(studio);
    await settled();
    return studio;
  }
  const moves = ({ sent: messages }: FakeStudio) => messages.filter(({ type }) => type === "head.move");

  it("is what undo takes back before the server has answered, and not its scribble", async () => {
    const studio = await sent();
    expect(studio.history.nextUndo()?.name).toBe("round");
    studio.history.undo();
    expect(studio.history.undo()).toBe(false);
    await studio.ack("round.run", 2);
    const made = round({ id: 2, base: 1, state: "queued", frames: [] });
    studio.store.rounds.value = new Map(studio.store.rounds.value).set(2, made);
    studio.store.head.value = 2;
    await settled();
    expect(moves(studio)).toMatchObject([{ from_round: 2, to_round: 1 }]);
    expect(studio.sent.some(({ type }) => type === "scribble.remove")).toBe(false);
  });

  it("is not sent again after a conflict if it was undone", async () => {
    vi.useFakeTimers();
    const studio = await sent();
    studio.history.undo();
    await studio.refuse("round.run", "conflict", 1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(runs(studio).length).toBe(1);
    expect(studio.history.nextUndo()?.name).toBe("scribble");
    vi.useRealTimers();
  });

  it("cannot be redone if it ended without a mask", async () => {
    const ended = round({ id: 2, base: 1, state: "cancelled", frames: [] });
    const studio = fakeStudio({ rounds: [round({ id: 1 }), ended], head: 1 });
    expect(headStep(studio, 2).redoable()).toBe(false);
  });
});

describe("cancelling", () => {
  it("stops one's own rounds, the one that waits first, and leaves the one that runs to its author", () => {
    const rounds = [
      round({ id: 1, author: BEN, state: "running" }),
      round({ id: 2, base: 1, state: "queued" }),
      round({ id: 3, base: 2, state: "queued" }),
    ];
    const studio = fakeStudio({ rounds, head: 3 });
    cancel(studio);
    expect(studio.sent.map((message) => message.type === "round.cancel" && message.round)).toEqual([3, 2]);
  });
});

describe("a round that was not sent yet", () => {
  it("holds no other round back when it is undone", async () => {
    vi.useFakeTimers();
    const studio = fakeStudio({ rounds: [round({ id: 1 })], head: 1 });
    new RunQueue(studio);
    draw(studio, 1, 2, [[0.3, 0.3]]);
    await studio.refuse("scribble.add", "not_stored"); // Nothing is sent in the pause that follows.
    run(studio, 2);
    expect(runs(studio)).toEqual([]);
    expect(studio.history.nextUndo()?.name).toBe("round");
    studio.history.undo();
    await vi.advanceTimersByTimeAsync(2000);
    await studio.ack("scribble.add");
    expect(runs(studio)).toEqual([]);
    run(studio, 2);
    expect(runs(studio)).toHaveLength(1);
  });
});
