import { describe, expect, it } from "vitest";
import { fakeStudio, round, settled } from "../editor/testing";
import { reduce } from "../state/reduce";
import { editMasks, fromHereOn, isAbsent, markAbsent, splitFromHere } from "./edits";

describe("an edit over a span", () => {
  it("is one message, and can be undone once it is the head", async () => {
    const studio = fakeStudio({ rounds: [round({ id: 1 })], head: 1 });
    editMasks(studio, { op: "copy", objects: [1], span: [2, 5], source: 2 });
    expect(studio.sent).toMatchObject([
      { type: "mask.edit", op: "copy", objects: [1], first: 2, last: 5, source: 2 },
    ]);
    await studio.ack("mask.edit", 9);
    expect(studio.history.nextUndo()).toBe(undefined);
    reduce(studio.store, {
      type: "round.changed",
      seq: 2,
      round: round({ id: 9, base: 1, origin: "edited" }),
    });
    studio.store.head.value = 9;
    expect(studio.history.nextUndo()?.name).toBe("copy of 4 frames");
    studio.history.undo();
    expect(studio.sent.at(-1)).toMatchObject({ type: "head.move", from_round: 9, to_round: 1 });
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
  it("is sent, shown and taken back", () => {
    const studio = fakeStudio();
    markAbsent(studio, 1, [3, 6], true);
    expect(studio.sent).toMatchObject([{ type: "span.absent", object: 1, first: 3, last: 6, absent: true }]);
    reduce(studio.store, { type: "absent.changed", seq: 2, object: 1, spans: [[3, 6]] });
    expect(isAbsent(studio, 1, [4, 6])).toBe(true);
    expect(isAbsent(studio, 1, [2, 6])).toBe(false);
    studio.history.undo();
    expect(studio.sent.at(-1)).toMatchObject({ type: "span.absent", absent: false });
  });
});
