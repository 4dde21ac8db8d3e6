import { afterEach, describe, expect, it } from "vitest";
import { watchPaintings } from "../actions/painting";
import { takePolygon } from "../actions/polygon";
import { canvasPoint } from "../canvas/view";
import { ANN, type FakeStudio, fakeStudio, round, settled } from "../editor/testing";
import { bitmapOf, frameLabels } from "../masks/compose";
import { decodeMask } from "../masks/decode";
import { bytesOfBase64, encodeLabels } from "../masks/encode";
import { toasts } from "../parts/Toast";
import type { MaskPaint, State } from "../protocol";
import { reduce } from "../state/reduce";
import { brush } from "./brush";
import { island } from "./island";
import { createPointerState } from "./pointerState";
import { polygon } from "./polygon";
import { rubber } from "./rubber";
import { smooth } from "./smooth";
import { type PointerSample, sampleAt, type Tool } from "./tool";

const [WIDTH, HEIGHT] = [100, 50];
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
  toasts.value = [];
});

/** A studio at scale 1 whose frame has its corner at 20, 20 of the stage. */
function ready(given: Partial<State> = {}) {
  const studio = fakeStudio(given);
  studio.stage.resize({ width: 140, height: 90 });
  studio.stage.open({ width: WIDTH, height: HEIGHT });
  studio.stage.zoomTo(1);
  studio.store.view.value = { ...studio.store.view.value, paintSize: 6 };
  ends.push(watchPaintings(studio));
  return { studio, pointer: createPointerState() };
}

/** The sample at a pixel of the frame. */
const at = (x: number, y: number, pressure = 1, shift = false): PointerSample =>
  sampleAt(canvasPoint(x + 20, y + 20), pressure, shift);

function drag(tool: Tool, { studio, pointer }: ReturnType<typeof ready>, ...samples: PointerSample[]): void {
  const gesture = tool.press(studio, pointer, samples[0] as PointerSample);
  for (const sample of samples.slice(1)) gesture?.move([sample]);
  gesture?.end();
}

function lock({ store }: FakeStudio, numbers: readonly number[]): void {
  store.objects.value = store.objects
    .peek()
    .map((object) => ({ ...object, locked: numbers.includes(object.number) }));
}

function paintsOf(studio: FakeStudio): MaskPaint[] {
  return studio.sent.filter((message) => message.type === "mask.paint");
}

/** The pixels of a message, and the number of them. */
function pixelsOf(message: MaskPaint | undefined): {
  bits: Uint8Array;
  count: number;
  has: (x: number, y: number) => boolean;
} {
  const map = decodeMask(bytesOfBase64(message?.data ?? ""));
  const { bits } = bitmapOf(frameLabels(map), WIDTH, HEIGHT, 1);
  return { bits, count: bits.reduce((sum, bit) => sum + bit, 0), has: (x, y) => bits[y * WIDTH + x] === 1 };
}

/** A mask of round 1 at frame 0 in which object 2 has the columns from 40 to 60, and the head stands there. */
function withMask(change: (labels: Uint8Array) => void = () => {}) {
  const made = ready({ rounds: [round({ id: 1 })], head: 1 });
  const labels = new Uint8Array(WIDTH * HEIGHT);
  for (let y = 0; y < HEIGHT; y++) labels.fill(2, y * WIDTH + 40, y * WIDTH + 60);
  change(labels);
  const data = encodeLabels(WIDTH, HEIGHT, labels);
  made.studio.store.masks.add([{ seq: 1, round: 1, frame: 0, confidence: new Uint8Array([255, 255]), data }]);
  return made;
}

describe("the brush", () => {
  it("shows each movement at once and stores one mask when the pen is lifted", () => {
    const made = ready();
    const gesture = brush.press(made.studio, made.pointer, at(10, 10));
    expect(made.pointer.painting.value?.labels[10 * WIDTH + 10]).toBe(1);
    gesture?.move([at(30, 10)]);
    expect(made.pointer.painting.value?.labels[10 * WIDTH + 20]).toBe(1);
    expect(made.studio.sent).toEqual([]);
    gesture?.end();
    expect(made.pointer.painting.value).toBeNull();
    const [message] = paintsOf(made.studio);
    expect(message).toMatchObject({ frame: 0, object: 1, over: "unlocked" });
    expect(pixelsOf(message).has(20, 10)).toBe(true);
    expect(pixelsOf(message).has(20, 16)).toBe(false);
    expect(made.studio.store.paintings.value.length).toBe(1);
  });

  it("adds to what it painted before the server has answered", () => {
    const made = ready();
    drag(brush, made, at(10, 10));
    drag(brush, made, at(50, 30));
    const second = pixelsOf(paintsOf(made.studio)[1]);
    expect([second.has(10, 10), second.has(50, 30)]).toEqual([true, true]);
  });

  it("draws straight lines with Shift, from the last stroke's end when it is held at the press", () => {
    const made = ready();
    drag(brush, made, at(10, 10), at(40, 40, 1, true), at(60, 10, 1, true));
    const line = pixelsOf(paintsOf(made.studio)[0]);
    expect([line.has(35, 10), line.has(40, 40)]).toEqual([true, false]);
    drag(brush, made, at(60, 45, 1, true));
    const joined = pixelsOf(paintsOf(made.studio)[1]);
    expect([joined.has(60, 28), joined.has(35, 10)]).toEqual([true, true]);
  });

  it("paints thinner lines where a pen presses less", () => {
    const made = ready();
    drag(brush, made, at(20, 20, 0.05));
    const light = pixelsOf(paintsOf(made.studio)[0]).count;
    drag(brush, made, at(70, 20, 1));
    expect(pixelsOf(paintsOf(made.studio)[1]).count - light).toBeGreaterThan(3 * light);
  });

  it("leaves nothing when it is cancelled, and sends nothing without a change", () => {
    const made = ready();
    const gesture = brush.press(made.studio, made.pointer, at(10, 10));
    gesture?.cancel();
    expect(made.pointer.painting.value).toBeNull();
    drag(rubber, made, at(10, 10));
    drag(brush, made, at(-400, 10));
    expect(made.studio.sent).toEqual([]);
    expect(made.studio.history.nextUndo()).toBeUndefined();
  });

  it("takes away with the other button what it adds with the first", () => {
    const made = ready();
    drag(brush, made, at(10, 10), at(30, 10));
    const gesture = brush.pressAlternative?.(made.studio, made.pointer, at(20, 10));
    gesture?.end();
    const after = pixelsOf(paintsOf(made.studio)[1]);
    expect([after.has(10, 10), after.has(20, 10)]).toEqual([true, false]);
  });

  it("keeps the pixels of other objects as the switch says, and of those that are accepted in the frame", () => {
    for (const [over, locked, accepted, taken] of [
      ["none", [], 9, false],
      ["unlocked", [], 9, true],
      ["unlocked", [2], 9, false],
      ["all", [2], 9, true],
      ["all", [], 0, false],
    ] as const) {
      const made = withMask();
      made.studio.store.objectSpans.value = new Map([[2, [{ first: accepted, last: accepted, round: 1 }]]]);
      made.studio.store.view.value = { ...made.studio.store.view.value, paintOver: over };
      lock(made.studio, locked);
      drag(brush, made, at(30, 25), at(50, 25));
      const message = paintsOf(made.studio)[0];
      expect([message?.over, locked, pixelsOf(message).has(50, 25)]).toEqual([over, locked, taken]);
      expect(pixelsOf(message).has(32, 25)).toBe(true);
    }
  });

  it("is refused with a sentence on the background, on a locked or absent object, on an accepted frame and for a viewer", () => {
    const cases: ((studio: FakeStudio) => void)[] = [
      ({ store }) => (store.selected.value = 0),
      (studio) => lock(studio, [1]),
      ({ store }) => (store.accepted.value = new Map([[0, 1]])),
      ({ store }) => (store.absent.value = new Map([[1, [[0, 3]]]])),
      (studio) => {
        reduce(studio.store, { type: "round.changed", seq: 2, round: round({ id: 1 }) });
        reduce(studio.store, { type: "head.moved", seq: 3, head: 1, by: studio.store.you.value ?? ANN });
        const spans = [{ first: 0, last: 0, round: 1 }];
        reduce(studio.store, { type: "object.accepted", seq: 4, object: 1, spans });
      },
      ({ store }) => (store.looking.value = 3),
      ({ store }) => (store.role.value = "viewer"),
    ];
    const said = cases.map((prepare) => {
      const made = ready();
      prepare(made.studio);
      expect(brush.press(made.studio, made.pointer, at(10, 10))).toBeNull();
      expect(made.studio.sent).toEqual([]);
      return toasts.value.at(-1)?.text;
    });
    expect(said.join()).toMatch(/“rider” is marked absent in this frame.*“rider” is accepted in this frame/);
  });

  it("waits for a mask that is not loaded instead of painting over nothing", () => {
    const made = ready({ rounds: [round({ id: 1 })], head: 1 });
    expect(brush.press(made.studio, made.pointer, at(10, 10))).toBeNull();
    expect(toasts.value.at(-1)?.text).toContain("still loading");
  });
});

describe("a painting", () => {
  it("is shown until the painted round and its mask are here", async () => {
    const made = ready();
    drag(brush, made, at(10, 10));
    await made.studio.ack("mask.paint", 7);
    expect(made.studio.store.paintings.value.map(({ round: id }) => id)).toEqual([7]);
    const painted = round({ id: 7, frames: [[0, 0]] });
    reduce(made.studio.store, { type: "round.changed", seq: 2, round: painted });
    reduce(made.studio.store, { type: "head.moved", seq: 3, head: 7, by: painted.author });
    expect(made.studio.store.paintings.value.length).toBe(1);
    const data = encodeLabels(WIDTH, HEIGHT, new Uint8Array(WIDTH * HEIGHT));
    made.studio.store.masks.add([{ seq: 9, round: 7, frame: 0, confidence: new Uint8Array(), data }]);
    await Promise.resolve();
    expect(made.studio.store.paintings.value).toEqual([]);
  });
  it("is undone like a round, and redone", async () => {
    const made = ready();
    const { studio } = made;
    drag(brush, made, at(10, 10));
    await studio.ack("mask.paint", 7);
    const painted = round({ id: 7, frames: [[0, 0]] });
    reduce(studio.store, { type: "round.changed", seq: 2, round: painted });
    reduce(studio.store, { type: "head.moved", seq: 3, head: 7, by: painted.author });
    expect(studio.history.nextUndo()?.name).toBe("painting of rider");
    studio.history.undo();
    await Promise.resolve();
    expect(studio.sent.at(-1)).toMatchObject({ type: "head.move", from_round: 7, to_round: null });
    reduce(studio.store, { type: "head.moved", seq: 4, head: null, by: painted.author });
    await settled();
    studio.history.redo();
    expect(studio.sent.at(-1)).toMatchObject({ type: "head.move", from_round: null, to_round: 7 });
  });

  it("offline is shown with those before it, and sent once and in order when the connection is back", async () => {
    const made = ready();
    const { studio } = made;
    studio.online.value = false;
    drag(brush, made, at(10, 10));
    drag(brush, made, at(50, 30));
    expect([studio.sent.length, studio.store.paintings.value.length]).toEqual([0, 2]);
    studio.online.value = true;
    studio.outbox.flush();
    const [first, second] = paintsOf(studio);
    expect([pixelsOf(first).has(50, 30), pixelsOf(second).has(10, 10), pixelsOf(second).has(50, 30)]).toEqual(
      [false, true, true],
    );
    for (const [round, message] of [first, second].entries())
      studio.outbox.acknowledged({ type: "ack", key: message?.key as string, result: round + 1 });
    await Promise.resolve();
    studio.outbox.flush();
    expect([paintsOf(studio).length, studio.outbox.count.value]).toEqual([2, 0]);
  });

  it("that was undone before it was sent never is, and redo sends it", () => {
    const made = ready();
    const { studio } = made;
    studio.online.value = false;
    drag(brush, made, at(10, 10));
    studio.history.undo();
    expect(studio.store.paintings.value).toEqual([]);
    studio.online.value = true;
    studio.outbox.flush();
    expect(studio.sent).toEqual([]);
    studio.history.redo();
    expect(paintsOf(studio).length).toBe(1);
    expect(studio.store.paintings.value.length).toBe(1);
  });

  it("that was undone before the server answered moves the head back when it does", async () => {
    const made = ready();
    const { studio } = made;
    drag(brush, made, at(10, 10));
    studio.history.undo();
    expect(studio.store.paintings.value).toEqual([]);
    await studio.ack("mask.paint", 7);
    const painted = round({ id: 7, frames: [[0, 0]] });
    reduce(studio.store, { type: "round.changed", seq: 2, round: painted });
    reduce(studio.store, { type: "head.moved", seq: 3, head: 7, by: painted.author });
    await Promise.resolve();
    expect(studio.sent.at(-1)).toMatchObject({ type: "head.move", from_round: 7, to_round: null });
  });

  it("that is refused disappears and the person is told why", async () => {
    const made = ready();
    drag(brush, made, at(10, 10));
    await made.studio.refuse("mask.paint", "accepted");
    expect(made.studio.store.paintings.value).toEqual([]);
    expect(toasts.value.at(-1)?.text).toBe("refused: accepted");
  });
});

describe("fill and remove", () => {
  it("fills the hole that is pressed on and removes the island that is pressed on", () => {
    const made = ready();
    drag(brush, made, at(10, 10), at(30, 10), at(30, 30), at(10, 30), at(10, 10));
    drag(brush, made, at(80, 40));
    const ring = pixelsOf(paintsOf(made.studio).at(-1));
    expect(ring.has(20, 20)).toBe(false);
    drag(island, made, at(20, 20));
    expect(pixelsOf(paintsOf(made.studio).at(-1)).has(20, 20)).toBe(true);
    drag(island, made, at(80, 40));
    const after = pixelsOf(paintsOf(made.studio).at(-1));
    expect([after.has(80, 40), after.has(20, 20)]).toEqual([false, true]);
  });

  it("says that there is no hole beside the object", () => {
    const made = ready();
    drag(island, made, at(50, 25));
    expect(made.studio.sent).toEqual([]);
    expect(toasts.value.at(-1)?.text).toContain("no hole");
  });
});

describe("smoothing", () => {
  it("takes a thin spike away below the brush and leaves the rest alone", () => {
    const made = withMask((labels) => {
      for (let y = 10; y < 40; y++) labels.fill(1, y * WIDTH + 5, y * WIDTH + 30);
      labels[25 * WIDTH + 30] = 1;
      labels[12 * WIDTH + 30] = 1;
    });
    made.studio.store.view.value = { ...made.studio.store.view.value, paintSize: 10 };
    drag(smooth, made, at(31, 25));
    const after = pixelsOf(paintsOf(made.studio)[0]);
    expect([after.has(30, 25), after.has(30, 12), after.has(28, 25)]).toEqual([false, true, true]);
  });
});

describe("the polygon", () => {
  const click = (made: ReturnType<typeof ready>, x: number, y: number): void => drag(polygon, made, at(x, y));

  it("changes nothing until it is taken, and its corners can be moved before", () => {
    const made = ready();
    for (const [x, y] of [
      [10, 10],
      [40, 10],
      [40, 40],
      [10, 30],
    ] as const)
      click(made, x, y);
    drag(polygon, made, at(10, 30), at(10, 40));
    click(made, 10, 10);
    expect(made.studio.store.polygon.value?.closed).toBe(true);
    expect(made.studio.sent).toEqual([]);
    takePolygon(made.studio);
    const { count, has } = pixelsOf(paintsOf(made.studio)[0]);
    expect(count).toBe(30 * 30);
    expect([has(10, 10), has(39, 39), has(40, 40)]).toEqual([true, true, false]);
    expect(made.studio.store.polygon.value).toBeNull();
  });

  it("takes pixels away when it was begun with the other button", () => {
    const made = ready();
    made.studio.store.view.value = { ...made.studio.store.view.value, paintSize: 40 };
    drag(brush, made, at(50, 25));
    polygon.pressAlternative?.(made.studio, made.pointer, at(40, 15))?.end();
    for (const [x, y] of [
      [60, 15],
      [60, 35],
      [40, 35],
    ] as const)
      click(made, x, y);
    takePolygon(made.studio);
    const after = pixelsOf(paintsOf(made.studio)[1]);
    expect([after.has(50, 25), after.has(50, 40)]).toEqual([false, true]);
  });

  it("gets a new corner on an edge once it is closed", () => {
    const made = ready();
    for (const [x, y] of [
      [10, 10],
      [60, 10],
      [60, 40],
    ] as const)
      click(made, x, y);
    click(made, 10, 10);
    drag(polygon, made, at(35, 10), at(35, 2));
    expect(made.studio.store.polygon.value?.corners.map(({ x }) => x)).toEqual([10, 35, 60, 60]);
    click(made, 90, 45);
    expect(made.studio.store.polygon.value?.corners.length).toBe(4);
  });

  it("is taken by a double click, never with fewer than three corners, and stays in the frame", () => {
    const made = ready();
    click(made, 10, 10);
    click(made, 300, 10);
    takePolygon(made.studio);
    expect(made.studio.sent).toEqual([]);
    expect(made.studio.store.polygon.value?.corners[1]).toEqual({ x: WIDTH, y: 10 });
    click(made, 50, 40);
    click(made, 50, 40);
    expect(paintsOf(made.studio).length).toBe(1);
  });

  it("that crosses itself is taken with a sentence", () => {
    const made = ready();
    for (const [x, y] of [
      [10, 10],
      [60, 40],
      [60, 10],
      [10, 40],
    ] as const)
      click(made, x, y);
    takePolygon(made.studio);
    expect(paintsOf(made.studio).length).toBe(1);
    expect(toasts.value.at(-1)?.text).toContain("crosses itself");
  });
});
