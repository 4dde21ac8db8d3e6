import { beforeEach, describe, expect, it } from "vitest";
import { fakeStudio, round, settled } from "../editor/testing";
import { toasts } from "../parts/Toast";
import { reduce } from "../state/reduce";
import { commandOf } from "../studio/command";
import { forgetPainting, paintingStored, showPainting } from "./painting";
import { draw } from "./scribbles";
import { acceptedParts, acceptUsed } from "./spans";

beforeEach(() => {
  toasts.value = [];
});
const masked = (accepted: Record<number, number> = {}) =>
  fakeStudio({ rounds: [round({ id: 1, frames: [[0, 7]] })], head: 1, accepted });

describe("accepting a span", () => {
  it("is one message, whatever its length, and said once it is done", async () => {
    const studio = masked();
    studio.store.selection.value = [1, 9];
    acceptUsed(studio, true);
    expect(studio.sent).toMatchObject([{ type: "frames.accept", first: 1, last: 9, accepted: true }]);
    expect(toasts.value).toEqual([]);
    await studio.ack("frames.accept", 5); // Somebody else has accepted two of the seven meanwhile.
    expect(toasts.value.map(({ text }) => text)).toEqual(["Accepted 5 frames."]);
  });

  it("says the server's reason when it is refused, and nothing of frames that were accepted", async () => {
    const studio = masked();
    studio.store.selection.value = [1, 9];
    acceptUsed(studio, true);
    await studio.refuse("frames.accept", "conflict");
    expect(toasts.value.map(({ text }) => text)).toEqual(["refused: conflict"]);
    expect(studio.history.nextUndo()).toBeUndefined();
  });

  it("is possible where the first mask was only just painted", async () => {
    const studio = fakeStudio();
    const { store } = studio;
    const accept = commandOf(studio.commands, "frame.accept");
    expect(accept.enabled()).toBe(false);
    showPainting(store, { key: "p", frame: 3, object: 1, over: "all", data: new Uint8Array(), round: null });
    expect(accept.enabled()).toBe(false);
    store.frame.value = 3;
    expect(accept.enabled()).toBe(true);
    accept.perform();
    paintingStored(studio, "p", 7);
    store.head.value = 7;
    forgetPainting(store, "p");
    await settled();
    expect(studio.sent).toMatchObject([{ type: "frames.accept", first: 3, last: 3, head: 7 }]);
  });

  it("is taken back without releasing what was accepted before", () => {
    const studio = masked({ 3: 1 });
    studio.store.selection.value = [2, 4];
    acceptUsed(studio, true);
    reduce(studio.store, { type: "accepted.changed", seq: 2, spans: [{ first: 2, last: 4, round: 1 }] });
    expect(studio.history.nextUndo()?.name).toBe("accepting 2 frames");
    studio.history.undo();
    expect(studio.sent.slice(1)).toMatchObject([
      { first: 2, last: 2, accepted: false },
      { first: 4, last: 4, accepted: false },
    ]);
  });

  it("that is not answered yet is what undo takes back, and nothing older", () => {
    const studio = masked();
    draw(studio, 0, 1, [[0.5, 0.5]]);
    acceptUsed(studio, true, [2, 4]);
    expect(studio.history.nextUndo()?.name).toBe("accepting 3 frames");
    studio.history.undo();
    expect(studio.sent.slice(1)).toMatchObject([
      { type: "frames.accept", first: 2, last: 4, accepted: true },
      { type: "frames.accept", first: 2, last: 4, accepted: false },
    ]);
    expect(studio.store.mine.value.length).toBe(1);
  });

  it("takes two keys for any number of frames", () => {
    const studio = masked();
    commandOf(studio.commands, "span.all").perform();
    commandOf(studio.commands, "frame.accept").perform();
    expect(studio.sent).toMatchObject([{ type: "frames.accept", first: 0, last: 9, accepted: true }]);
  });

  it.each<[string, number | null, number | null, number[]]>([
    ["with the painted round", 7, 7, [7]],
    ["not, when another round came meanwhile: the server refuses the old head", 7, 8, [1]],
    ["not, when the painting was refused", null, 1, []],
  ])("accepts what was just painted %s", async (_, painted, head, heads) => {
    const studio = masked();
    const { store } = studio;
    showPainting(store, { key: "p", frame: 3, object: 1, over: "all", data: new Uint8Array(), round: null });
    store.selection.value = [2, 4];
    acceptUsed(studio, true);
    if (painted !== null) paintingStored(studio, "p", painted);
    await settled();
    expect(studio.sent).toEqual([]);
    store.head.value = head;
    forgetPainting(store, "p");
    await settled();
    expect(studio.sent).toMatchObject(
      heads.map((sent) => ({ type: "frames.accept", first: 2, last: 4, head: sent })),
    );
    expect(studio.sent.length).toBe(heads.length);
  });

  it("without masks says so and sends nothing", () => {
    const studio = fakeStudio();
    acceptUsed(studio, true);
    expect(studio.sent).toEqual([]);
    expect(toasts.value.at(-1)?.text).toBe("There is no mask to accept.");
  });
});

it("frames are told apart in ranges, without those that have no mask", () => {
  expect(acceptedParts(masked({ 2: 1, 3: 1 }), [0, 9])).toEqual({
    yes: [[2, 3]],
    no: [
      [0, 1],
      [4, 7],
    ],
  });
});
