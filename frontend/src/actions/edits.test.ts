import { beforeEach, describe, expect, it } from "vitest";
import { type FakeStudio, fakeStudio, round, settled } from "../editor/testing";
import { toasts } from "../parts/Toast";
import { reduce } from "../state/reduce";
import { editMasks, fromHereOn, isAbsent, markAbsent, splitFromHere } from "./edits";
import { draw } from "./scribbles";

beforeEach(() => {
  toasts.value = [];
});

describe("an edit over a span", () => {
  const copy = { op: "copy", objects: [1], span: [2, 5], source: 2 } as const;
  const arrive = (studio: FakeStudio) => {
    reduce(studio.store, {
      type: "round.changed",
      seq: 2,
      round: round({ id: 9, base: 1, origin: "edited" }),
    });
    studio.store.head.value = 9;
  };

  it("is one message, and can be undone and redone", async () => {
    const studio = fakeStudio({ rounds: [round({ id: 1 })], head: 1 });
    editMasks(studio, copy);
    expect(studio.sent).toMatchObject([
      { type: "mask.edit", op: "copy", objects: [1], first: 2, last: 5, source: 2 },
    ]);
    expect(toasts.value).toEqual([]);
    await studio.ack("mask.edit", 9);
    expect(toasts.value.map(({ text }) => text)).toEqual(["Copied the mask to 4 frames."]);
    arrive(studio);
    expect(studio.history.nextUndo()?.name).toBe("copy of 4 frames");
    studio.history.undo();
    expect(studio.sent.at(-1)).toMatchObject({ type: "head.move", from_round: 9, to_round: 1 });
    studio.store.head.value = 1;
    await settled();
    studio.history.redo();
    expect(studio.sent.at(-1)).toMatchObject({ type: "head.move", from_round: 1, to_round: 9 });
  });

  it("is what undo takes back before the server has answered, and nothing older", async () => {
    const studio = fakeStudio({ rounds: [round({ id: 1 })], head: 1 });
    draw(studio, 0, 1, [[0.5, 0.5]]);
    editMasks(studio, copy);
    expect(studio.history.nextUndo()?.name).toBe("copy of 4 frames");
    studio.history.undo();
    expect(studio.store.mine.value.length).toBe(1);
    await studio.ack("mask.edit", 9);
    arrive(studio);
    await settled();
    expect(studio.sent.at(-1)).toMatchObject({ type: "head.move", from_round: 9, to_round: 1 });
    expect(toasts.value).toEqual([]);
    studio.store.head.value = 1;
    await settled();
    expect(studio.history.nextRedo()?.name).toBe("copy of 4 frames");
    expect(studio.history.nextUndo()?.name).toBe("scribble");
  });

  it("is what undo takes back between the answer and its version", async () => {
    const studio = fakeStudio({ rounds: [round({ id: 1 })], head: 1 });
    draw(studio, 0, 1, [[0.5, 0.5]]);
    editMasks(studio, copy);
    await studio.ack("mask.edit", 9);
    expect(studio.history.nextUndo()?.name).toBe("copy of 4 frames");
    studio.history.undo();
    arrive(studio);
    await settled();
    expect(studio.sent.at(-1)).toMatchObject({ type: "head.move", from_round: 9, to_round: 1 });
  });

  it("is not passed over while another one is undone", async () => {
    const studio = fakeStudio({ rounds: [round({ id: 1 })], head: 1 });
    draw(studio, 0, 1, [[0.5, 0.5]]);
    editMasks(studio, copy);
    editMasks(studio, { op: "clear", objects: [2], span: [0, 1] });
    studio.history.undo();
    expect(studio.history.undo(), "nothing older is undone meanwhile").toBe(false);
    const first = studio.sent.find(({ type }) => type === "mask.edit");
    studio.outbox.acknowledged({ type: "ack", key: first?.key ?? "", result: 9 });
    arrive(studio);
    await studio.ack("mask.edit", 10);
    const second = round({ id: 10, base: 9, origin: "edited" });
    reduce(studio.store, { type: "round.changed", seq: 3, round: second });
    studio.store.head.value = 10;
    await settled();
    const moves = () => studio.sent.filter(({ type }) => type === "head.move");
    expect(moves()).toMatchObject([{ from_round: 10, to_round: 9 }]);
    studio.store.head.value = 9;
    await settled();
    expect(studio.history.nextUndo()?.name).toBe("copy of 4 frames");
    studio.history.undo();
    expect(moves().at(-1)).toMatchObject({ from_round: 9, to_round: 1 });
  });

  it("that waits for the connection is withdrawn, and sent again by redo", () => {
    const studio = fakeStudio({ rounds: [round({ id: 1 })], head: 1 });
    studio.online.value = false;
    studio.store.connection.value = "lost";
    editMasks(studio, copy);
    studio.history.undo();
    expect(studio.outbox.count.value).toBe(0);
    studio.history.redo();
    studio.online.value = true;
    studio.outbox.flush();
    expect(studio.sent).toMatchObject([{ type: "mask.edit", op: "copy" }]);
    expect(studio.history.nextUndo()?.name).toBe("copy of 4 frames");
  });

  it("that is refused is said in the words of the server, and there is nothing to undo", async () => {
    const studio = fakeStudio({ rounds: [round({ id: 1 })], head: 1 });
    editMasks(studio, copy);
    await studio.refuse("mask.edit", "locked");
    expect(toasts.value.map(({ text }) => text)).toEqual(["refused: locked"]);
    expect(studio.history.nextUndo()).toBe(undefined);
  });

  it("says how many frames it changes, without those that are accepted", async () => {
    const accepted = { 1: [{ first: 3, last: 3, round: 1 }] };
    const rounds = [round({ id: 1 })];
    const studio = fakeStudio({ rounds, head: 1, accepted: { 4: 1 }, accepted_objects: accepted });
    editMasks(studio, { op: "clear", objects: [1], span: [2, 5] });
    await studio.ack("mask.edit", 9);
    editMasks(studio, { op: "interpolate", objects: [2], span: [2, 5] });
    await studio.ack("mask.edit", 10);
    expect(toasts.value.map(({ text }) => text)).toEqual([
      "Cleared 2 frames. 2 accepted frames stay as they are.",
      "Interpolated 1 frame. 1 accepted frame stays as it is.",
    ]);
  });

  it("says in how many frames an absent object gets and gives no pixels", async () => {
    const studio = fakeStudio({
      rounds: [round({ id: 1 })],
      head: 1,
      absent: { 1: [[2, 3]] },
      accepted: { 3: 1 },
    });
    const span = [1, 5] as const;
    editMasks(studio, { op: "copy", objects: [1, 2], span, source: 1 });
    await studio.ack("mask.edit", 9);
    editMasks(studio, { op: "merge", objects: [2], span, into: 1 });
    await studio.ack("mask.edit", 10);
    editMasks(studio, { op: "clear", objects: [1], span: [2, 2] });
    await studio.ack("mask.edit", 11);
    expect(toasts.value.map(({ text }) => text)).toEqual([
      "Copied the mask to 4 frames. 1 accepted frame stays as it is.",
      "Merged in 3 frames. 1 accepted frame stays as it is. 1 frame with an absent object stays as it is.",
      "Cleared 1 frame.",
    ]);
  });

  it("that splits an object gives its pixels to a new one from the frame in view on", async () => {
    const studio = fakeStudio();
    studio.store.frame.value = 4;
    const object = studio.store.alive.value[0];
    if (!object) throw new Error("no object");
    splitFromHere(studio, object);
    await studio.ack("object.add", 3);
    await settled();
    expect(studio.sent.at(-1)).toMatchObject({
      type: "mask.edit",
      op: "split",
      objects: [1],
      first: 4,
      last: 9,
      into: 3,
    });
    expect(fromHereOn(studio)).toEqual([4, 9]);
  });
});

describe("an absent span", () => {
  const tell = (studio: FakeStudio, spans: [number, number][], object = 1) =>
    reduce(studio.store, { type: "absent.changed", seq: 2, object, spans });
  const said = () => toasts.value.map(({ text }) => text);

  it("is sent, shown and taken back", async () => {
    const studio = fakeStudio();
    markAbsent(studio, 1, [3, 6], true);
    expect(studio.sent).toMatchObject([{ type: "span.absent", object: 1, first: 3, last: 6, absent: true }]);
    expect(said()).toEqual([]);
    await studio.ack("span.absent");
    tell(studio, [[3, 6]]);
    expect(said()).toEqual(["Absent in 4 frames: no mask there."]);
    expect(isAbsent(studio, 1, [4, 6])).toBe(true);
    expect(isAbsent(studio, 1, [2, 6])).toBe(false);
    studio.history.undo();
    expect(studio.sent.at(-1)).toMatchObject({ type: "span.absent", absent: false });
  });

  it("keeps what was marked before when it is taken back", () => {
    const studio = fakeStudio({ absent: { 1: [[4, 5]] } });
    markAbsent(studio, 1, [3, 8], true);
    tell(studio, [[3, 8]]);
    studio.history.undo();
    expect(studio.sent.slice(1)).toMatchObject([
      { object: 1, first: 3, last: 3, absent: false },
      { object: 1, first: 6, last: 8, absent: false },
    ]);
  });

  it("says that accepted frames stay as they are, and leaves them alone when it is taken back", async () => {
    const studio = fakeStudio({ rounds: [round({ id: 1 })], head: 1, accepted: { 4: 1 } });
    markAbsent(studio, null, [3, 5], true);
    await studio.ack("span.absent");
    expect(said()).toEqual(["Absent in 2 frames: no mask there. 1 accepted frame stays as it is."]);
    for (const object of [1, 2])
      tell(
        studio,
        [
          [3, 3],
          [5, 5],
        ],
        object,
      );
    studio.history.undo();
    expect(studio.sent.slice(1).map((message) => "first" in message && message.first)).toEqual([3, 5, 3, 5]);
  });

  it("that is refused is said in the words of the server, and there is nothing to undo", async () => {
    const studio = fakeStudio();
    markAbsent(studio, 1, [3, 6], true);
    await studio.refuse("span.absent", "accepted");
    expect(said()).toEqual(["refused: accepted"]);
    expect(studio.history.nextUndo()).toBe(undefined);
  });

  it("is said to be kept while there is no connection, and done when it is back", async () => {
    const studio = fakeStudio();
    studio.online.value = false;
    studio.store.connection.value = "lost";
    markAbsent(studio, 1, [3, 6], true);
    expect(said()).toEqual(["There is no connection. This is kept here and done when it is back."]);
  });

  it("that waits for the connection is what undo takes back, and nothing older", async () => {
    const studio = fakeStudio();
    studio.online.value = false;
    studio.store.connection.value = "lost";
    draw(studio, 0, 1, [[0.5, 0.5]]);
    markAbsent(studio, 1, [3, 6], true);
    studio.history.undo();
    expect(studio.store.mine.value.length).toBe(1);
    expect(studio.history.nextUndo()?.name).toBe("scribble");
    studio.history.redo();
    studio.history.undo();
    studio.history.redo();
    studio.online.value = true;
    studio.outbox.flush();
    expect(studio.sent.map(({ type }) => type)).toEqual(["scribble.add", "span.absent"]);
    expect(studio.sent.at(-1)).toMatchObject({ first: 3, last: 6, absent: true });
  });

  it("that was sent before the connection broke is unmarked again when it is back", async () => {
    const studio = fakeStudio();
    markAbsent(studio, 1, [3, 6], true);
    studio.online.value = false;
    studio.history.undo();
    studio.history.redo();
    expect(studio.history.nextUndo()?.name).toBe("marking 4 frames as absent");
    studio.history.undo();
    studio.online.value = true;
    studio.outbox.flush();
    const values = studio.sent.map((message) => "absent" in message && message.absent);
    expect(values).toEqual([true, true, false]); // The first one is sent again, with its key.
    tell(studio, [[3, 6]]);
    expect(studio.history.nextUndo()).toBe(undefined);
    expect(studio.history.nextRedo()?.name).toBe("marking 4 frames as absent");
  });

  it("of all objects is one where each that is not locked is absent", () => {
    const studio = fakeStudio({ absent: { 1: [[0, 9]] } });
    expect(isAbsent(studio, null, [3, 6])).toBe(false);
    tell(studio, [[3, 6]], 2);
    expect(isAbsent(studio, null, [3, 6])).toBe(true);
  });
});
