import { expect, it, vi } from "vitest";
import { fakeStudio, round, settled } from "../editor/testing";
import { modelOf } from "../panels/timeline/model";
import type { PinInfo } from "../protocol";
import { decidedOf } from "../state/acceptedObjects";
import { reduce } from "../state/reduce";
import { commandOf } from "../studio/command";
import { acceptObject } from "./objectReview";
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

it("says that there is no mask instead of sending anything", () => {
  const studio = fakeStudio();
  acceptObject(studio, 1, [0, 4], true);
  expect(studio.sent).toEqual([]);
});
