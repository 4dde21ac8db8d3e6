import { beforeEach, describe, expect, it } from "vitest";
import { ANN, BEN, round, state } from "../editor/testing";
import { packedMask } from "../masks/testing";
import { toasts } from "../parts/Toast";
import type { RoundInfo, ScribbleInfo, ServerMessage } from "../protocol";
import { reduce } from "./reduce";
import { createStore, type Store } from "./store";

const scribble = (key: string, author = ANN): ScribbleInfo => ({
  key,
  frame: 2,
  object: 1,
  path: [[0, 0]],
  kind: "scribble",
  positive: true,
  author,
});
const worker = { alive: true, device: "cpu", text: "" };

function opened(given: Parameters<typeof state>[0] = {}): Store {
  const store = createStore(5);
  reduce(store, { type: "welcome", version: 1, you: ANN, role: "annotator", state: state(given), worker });
  return store;
}

function tell(store: Store, ...messages: ServerMessage[]): void {
  for (const message of messages) reduce(store, message);
}

describe("the state", () => {
  it("is replaced by that of a welcome", () => {
    const store = opened({
      scribbles: [scribble("a")],
      head: 4,
      rounds: [round({ id: 4 })],
      accepted: { 7: 4 },
    });
    expect(store.video.value?.name).toBe("clip.mp4");
    expect([...store.accepted.value]).toEqual([[7, 4]]);
    tell(store, { type: "welcome", version: 1, you: ANN, role: "viewer", state: state(), worker });
    expect(store.scribbles.value).toEqual([]);
    expect(store.head.value).toBe(null);
    expect(store.canDraw.value).toBe(false);
  });

  it("stays where a welcome brings none", () => {
    const store = opened({ scribbles: [scribble("a")] });
    tell(store, { type: "welcome", version: 1, you: ANN, role: "annotator", state: null, worker });
    expect(store.scribbles.value.length).toBe(1);
  });

  it("keeps the remembered frame inside the video", () => {
    const store = createStore(5);
    store.frame.value = 5000;
    tell(store, { type: "welcome", version: 1, you: ANN, role: "annotator", state: state(), worker });
    expect(store.frame.value).toBe(9);
  });
});

describe("scribbles", () => {
  it("are shown once, though they are here and come back from the server", () => {
    const store = opened();
    store.unsaved.value = [scribble("a")];
    tell(
      store,
      { type: "scribble.added", seq: 2, scribble: scribble("a") },
      { type: "scribble.added", seq: 2, scribble: scribble("a") },
    );
    expect(store.scribbles.value.length).toBe(1);
  });

  it("of others are shown but not one's own", () => {
    const store = opened({ scribbles: [scribble("a"), scribble("b", BEN)] });
    expect(store.scribbles.value.length).toBe(2);
    expect(store.mine.value.map(({ key }) => key)).toEqual(["a"]);
  });

  it("go when a round used them, whoever still waits for an answer", () => {
    const store = opened({ scribbles: [scribble("a")] });
    store.unsaved.value = [scribble("b")];
    tell(store, { type: "scribble.removed", seq: 3, keys: ["a", "b"] });
    expect(store.scribbles.value).toEqual([]);
  });

  it("of a deleted object are not shown, and come back with it", () => {
    const store = opened({ scribbles: [scribble("a")] });
    const rider = store.objects.value[0];
    if (!rider) throw new Error("no object");
    tell(store, { type: "object.changed", seq: 2, object: { ...rider, deleted: true } });
    expect(store.mine.value).toEqual([]);
    tell(store, { type: "object.changed", seq: 3, object: rider });
    expect(store.mine.value.length).toBe(1);
  });
});

describe("objects", () => {
  it("are kept in the order of their numbers", () => {
    const store = opened();
    tell(store, {
      type: "object.changed",
      seq: 2,
      object: {
        number: 1,
        name: "pilot",
        color: "#000000",
        label: null,
        deleted: false,
        locked: false,
        position: 1,
      },
    });
    expect(store.alive.value.map(({ name }) => name)).toEqual(["pilot", "bike"]);
  });

  it("leave the selection on one that is there", () => {
    const store = opened();
    tell(store, {
      type: "object.changed",
      seq: 2,
      object: {
        number: 1,
        name: "rider",
        color: "#000000",
        label: null,
        deleted: true,
        locked: false,
        position: 1,
      },
    });
    expect(store.selected.value).toBe(2);
  });
});

describe("rounds", () => {
  it("take hints of their progress while they run, and none after", () => {
    const store = opened({ rounds: [round({ id: 1, state: "queued" })], head: 1 });
    tell(store, { type: "round.progress", round: 1, done: 4, total: 10, seconds: 0.5 });
    expect(store.active.value).toMatchObject({ state: "running", done: 4 });
    tell(store, { type: "round.changed", seq: 5, round: round({ id: 1, done: 10 }) });
    tell(store, { type: "round.progress", round: 1, done: 9, total: 10, seconds: 0.9 });
    expect(store.rounds.value.get(1)).toMatchObject({ state: "done", done: 10 });
    expect(store.active.value).toBe(null);
  });

  it("give each frame the mask of the newest on the head's line", () => {
    const rounds = [
      round({ id: 1, frames: [[0, 9]] }),
      round({ id: 2, base: 1, frames: [[3, 4]] }),
      round({ id: 3, base: 1, frames: [[0, 9]] }),
    ];
    const store = opened({ rounds, head: 2 });
    const sources = (): (number | null)[] =>
      store.summaries.value.slice(2, 6).map((summary) => summary.round);
    expect(sources()).toEqual([1, 2, 2, 1]);
    tell(store, { type: "head.moved", seq: 4, head: 1, by: BEN });
    expect(sources()).toEqual([1, 1, 1, 1]);
    tell(store, { type: "head.moved", seq: 5, head: 3, by: BEN });
    expect(sources()).toEqual([3, 3, 3, 3]);
  });

  it("have a frame as soon as its mask has come", async () => {
    const store = opened({ rounds: [round({ id: 1, state: "running", frames: [] })], head: 1 });
    expect(store.summaries.value[3]?.round).toBe(null);
    store.masks.add([packedMask({ round: 1, frame: 3, confidence: [255, 51] })]);
    await Promise.resolve();
    expect(store.summaries.value[3]).toMatchObject({
      round: 1,
      loaded: true,
      ids: [1, 2],
      weakest: 2,
      confidence: 0.2,
    });
  });

  it("do not touch an accepted frame, unless one looks at another round", () => {
    const rounds = [round({ id: 1 }), round({ id: 2, base: 1 })];
    const store = opened({ rounds, head: 2, accepted: { 4: 1 } });
    expect(store.summaries.value[4]?.round).toBe(1);
    store.looking.value = 1;
    tell(store, { type: "accepted.changed", seq: 3, spans: [{ first: 4, last: 4, round: null }] });
    store.looking.value = null;
    expect(store.summaries.value[4]?.round).toBe(2);
  });
});

describe("a head that somebody else moves", () => {
  const rounds = [
    round({ id: 10, number: 7 }),
    round({ id: 11, number: 8, base: 10 }),
    round({ id: 12, number: 9, base: 11 }),
    round({ id: 13, number: 10, base: 10 }),
  ];
  const said = (): string[] => toasts.value.map(({ text }) => text);
  const move = (head: number | null, by = BEN): ServerMessage => ({ type: "head.moved", seq: 9, head, by });
  const change = (changed: RoundInfo): ServerMessage => ({ type: "round.changed", seq: 8, round: changed });

  beforeEach(() => {
    toasts.value = [];
  });

  it.each([
    [12, 11, "Ben went back to round 8."],
    [12, 10, "Ben went back to round 7."],
    [12, null, "Ben went back to before the first round."],
    [11, 12, "Ben went forward to round 9."],
    [null, 13, "Ben went forward to round 10."],
    [12, 13, "Ben went to round 10."],
  ])("from %s to %s is told of", (head, to, text) => {
    const store = opened({ rounds, head });
    tell(store, move(to));
    expect(said()).toEqual([text]);
    expect(store.head.value).toBe(to);
  });

  it("is told of when that stops a round", () => {
    const running = round({ id: 14, base: 12, state: "running", frames: [] });
    tell(opened({ rounds: [...rounds, running], head: 14 }), move(12));
    expect(said()).toEqual(["Ben went back to round 9."]);
  });

  it("is not told of when one moved it oneself, or it stands there already", () => {
    tell(opened({ rounds, head: 12 }), move(11, ANN));
    tell(opened({ rounds, head: 11 }), move(11));
    expect(said()).toEqual([]);
  });

  it("is not told of when a round begins, fails, or ends before its first mask", () => {
    const theirs = round({ id: 14, base: 12, author: BEN, state: "queued", frames: [] });
    const store = opened({ rounds, head: 12 });
    for (const state of ["failed", "cancelled"] as const) {
      tell(store, change(theirs), move(14));
      tell(store, change({ ...theirs, state }), move(12));
    }
    expect(said()).toEqual([]);
  });
});
