import { expect, it, vi } from "vitest";
import { fakeStudio, round, settled } from "../editor/testing";
import { packedMask } from "../masks/testing";
import { modelOf } from "../panels/timeline/model";
import { toasts } from "../parts/Toast";
import type { PinInfo } from "../protocol";
import { decidedOf } from "../state/acceptedObjects";
import type { Range } from "../state/ranges";
import { reduce } from "../state/reduce";
import { commandOf } from "../studio/command";
import { acceptObject } from "./objectReview";
import { forgetPainting, paintingStored, showPainting } from "./painting";
import { setPin } from "./pins";

const PIN: PinInfo = {
  id: 7,
  job: null,
  frame: 2,
  last: 4,
  object: 2,
  x: null,
  y: null,
  reason: "edge",
  text: "",
  author: { id: 1, name: "Ann" },
  created_at: "2026-01-01T00:00:00Z",
  resolved_by: null,
  resolved_at: null,
  replies: [],
};
const rounds = [round({ id: 1 }), round({ id: 2, base: 1 })];
const masked = (spans: { first: number; last: number; round: number }[] = [], head = 2) =>
  fakeStudio({ rounds, head, accepted: { 3: 2 }, accepted_objects: { 2: spans } });
const lane = (studio: ReturnType<typeof masked>) => modelOf(studio.store).lanes[1];

it("accepts the selected object alone in the span, and takes back only what it accepted", () => {
  const studio = masked([{ first: 2, last: 2, round: 1 }]);
  studio.store.selected.value = 2;
  studio.store.selection.value = [1, 4];
  commandOf(studio.commands, "object.accept").perform();
  expect(studio.sent).toMatchObject([
    { type: "object.accept", object: 2, first: 1, last: 4, accepted: true, head: 2 },
  ]);
  const spans = [{ first: 1, last: 4, round: 2 }];
  reduce(studio.store, { type: "object.accepted", seq: 2, object: 2, spans });
  expect(lane(studio)?.accepted).toEqual([[1, 4]]);
  studio.history.undo();
  // Frame 2 was accepted before, and frame 3 is accepted whole.
  expect(studio.sent.slice(1)).toMatchObject([
    { first: 1, last: 1, accepted: false },
    { first: 4, last: 4, accepted: false },
  ]);
});

it("takes an acceptance back that is not answered yet", () => {
  const studio = masked();
  acceptObject(studio, 2, [1, 2], true);
  expect(studio.history.nextUndo()?.name).toBe("accepting bike");
  studio.history.undo();
  expect(studio.sent.map((message) => "accepted" in message && message.accepted)).toEqual([true, false]);
});

it("counts an acceptance only while its round is on the line that is shown", () => {
  const spans = [
    { first: 0, last: 1, round: 1 },
    { first: 2, last: 5, round: 2 },
  ];
  expect(lane(masked(spans))?.accepted).toEqual([[0, 5]]);
  const undone = masked(spans, 1);
  expect(lane(undone)?.accepted).toEqual([[0, 1]]);
  expect(decidedOf(new Map([[2, [[7, 8]]]]), undone.store.acceptedObjects.value).get(2)).toEqual([
    [7, 8],
    [0, 1],
  ]);
});

it("rejects an object with a pin about the span, which undo resolves", async () => {
  const studio = masked([{ first: 2, last: 2, round: 1 }]);
  studio.store.selected.value = 2;
  studio.store.selection.value = [2, 4];
  commandOf(studio.commands, "object.reject").perform();
  expect(studio.store.pin.value).toEqual({ frame: 2, last: 4, object: 2, x: null, y: null });
  let answer = PIN;
  const ask = vi.fn(async (..._: Parameters<typeof fetch>) => Response.json(answer));
  vi.stubGlobal("fetch", ask);
  await setPin(studio, { frame: 2, last: 4, x: null, y: null }, { object: 2, reason: "edge", text: "" });
  expect(lane(studio)?.rejected).toEqual([[2, 4]]);
  answer = { ...PIN, resolved_at: PIN.created_at, resolved_by: PIN.author };
  expect(studio.history.nextUndo()?.name).toBe("rejecting bike");
  studio.history.undo();
  await vi.waitFor(() => expect(studio.sent).toHaveLength(1));
  expect(String(ask.mock.calls[1]?.[1]?.body)).toBe('{"resolved":true}');
  // What the pin had released is accepted again.
  expect(studio.sent).toMatchObject([{ type: "object.accept", first: 2, last: 2, accepted: true }]);
  expect(lane(studio)?.rejected).toEqual([]);
  await settled();
});

it("says why there is nothing to accept instead of sending anything", () => {
  const said = (studio: ReturnType<typeof masked>, span: Range) => {
    acceptObject(studio, 1, span, true);
    expect(studio.sent).toEqual([]);
    return toasts.value.at(-1)?.text;
  };
  expect(said(fakeStudio(), [0, 4])).toBe("There is no mask to accept.");
  expect(said(masked(), [3, 3])).toBe("This frame is accepted already, with all of its objects.");
});

it("accepts what was just painted with its round, and says so once the server has accepted it", async () => {
  toasts.value = [];
  const studio = fakeStudio();
  const { store } = studio;
  showPainting(store, { key: "p", frame: 4, object: 2, over: "all", data: new Uint8Array(), round: null });
  acceptObject(studio, 2, [4, 4], true);
  expect(studio.sent).toEqual([]);
  paintingStored(studio, "p", 7);
  store.head.value = 7;
  forgetPainting(store, "p"); // The painted round has come.
  await settled();
  expect(studio.sent).toMatchObject([{ type: "object.accept", object: 2, first: 4, last: 4, head: 7 }]);
  expect(toasts.value).toEqual([]);
  await studio.ack("object.accept", 1);
  expect(toasts.value.map(({ text }) => text)).toEqual(["Accepted bike in 1 frame."]);
});

it("says in how many frames the server has accepted an object", async () => {
  toasts.value = [];
  const studio = masked();
  acceptObject(studio, 2, [4, 6], true);
  await studio.ack("object.accept", 2); // Somebody else has accepted it in one of the three meanwhile.
  expect(toasts.value.map(({ text }) => text)).toEqual(["Accepted bike in 2 frames."]);
});

it("compares the confidence of an object with its own a round before where the weakest one is accepted", () => {
  const studio = masked([{ first: 5, last: 5, round: 2 }]);
  const mask = (id: number, confidence: number[]) => packedMask({ round: id, frame: 5, confidence });
  studio.store.masks.add([mask(1, [250, 100]), mask(2, [120, 90])]);
  expect(studio.store.suggestion.value?.reason).toBe("47 % sure of “rider”, 51 less than a round before");
});
