import { describe, expect, it } from "vitest";
import { canvasPoint } from "../canvas/view";
import { fakeStudio } from "../editor/testing";
import { toasts } from "../parts/Toast";
import type { Point } from "../protocol";
import { box } from "./box";
import { brush } from "./brush";
import { click } from "./click";
import { createPointerState } from "./pointerState";
import { scribble, thinned } from "./scribble";
import { type PointerSample, sampleAt } from "./tool";

const sampleOf = (x: number, y: number): PointerSample => sampleAt(canvasPoint(x, y));

function ready() {
  const studio = fakeStudio();
  studio.stage.resize({ width: 140, height: 90 });
  studio.stage.open({ width: 100, height: 50 });
  studio.stage.zoomTo(1); // the frame's corner lies at 20, 20
  return { studio, hand: createPointerState() };
}

describe("the scribble tool", () => {
  it("saves a path in 0..1 when the pen is lifted", () => {
    const { studio, hand } = ready();
    const gesture = scribble.press(studio, hand, sampleOf(30, 30));
    gesture?.move([sampleOf(40, 30), sampleOf(45, 45)]);
    expect(hand.live.value?.path.length).toBe(3);
    expect(studio.sent).toEqual([]);
    gesture?.end();
    const path = [
      [0.1, 0.2],
      [0.2, 0.2],
      [0.25, 0.5],
    ];
    expect(studio.sent).toMatchObject([{ type: "scribble.add", frame: 0, object: 1, path }]);
    expect(hand.live.value).toBe(null);
  });

  it("lets the server prepare the frame when the first stroke on it begins", () => {
    const { studio, hand } = ready();
    const asked: unknown[] = [];
    studio.socket.send = (message) => asked.push(message) > 0;
    scribble.press(studio, hand, sampleOf(30, 30))?.end();
    scribble.press(studio, hand, sampleOf(30, 30))?.end(); // A preview of the first stroke has prepared it.
    expect(asked).toEqual([{ type: "preview.ask", frame: 0, engine: "default", click: null }]);
  });

  it("leaves nothing when it is cancelled", () => {
    const { studio, hand } = ready();
    scribble.press(studio, hand, sampleOf(30, 30))?.cancel();
    expect(hand.live.value).toBe(null);
    expect(studio.sent).toEqual([]);
  });

  it("begins nothing on a locked object, at another round, on an accepted frame, or for a viewer", () => {
    const at = sampleOf(30, 30);
    const locked = ready();
    locked.studio.store.objects.value = locked.studio.store.objects
      .peek()
      .map((object) => ({ ...object, locked: true }));
    const looking = ready();
    looking.studio.store.looking.value = 3;
    const accepted = ready();
    accepted.studio.store.accepted.value = new Map([[0, 1]]);
    const viewer = ready();
    viewer.studio.store.role.value = "viewer";
    for (const { studio, hand } of [locked, looking, accepted, viewer])
      expect(scribble.press(studio, hand, at)).toBe(null);
    expect(toasts.value.map(({ tone }) => tone)).toEqual(["info", "info", "info", "info"]);
  });

  it("draws nothing outside of the picture, as clicks, boxes and the brush, and says so", () => {
    const { studio, hand } = ready();
    studio.store.view.value = { ...studio.store.view.value, paintSize: 4 };
    for (const tool of [scribble, click, box, brush]) {
      toasts.value = [];
      const gesture = tool.press(studio, hand, sampleOf(2, 2));
      gesture?.move([sampleOf(8, 12)]);
      gesture?.end();
      expect(toasts.value.map(({ text }) => text)).toEqual([
        "That was outside of the picture, so nothing was drawn.",
      ]);
    }
    expect(studio.sent).toEqual([]);
  });

  it("keeps no points that lie on each other, and never more than the protocol allows", () => {
    const { studio, hand } = ready();
    const gesture = scribble.press(studio, hand, sampleOf(30, 30));
    gesture?.move(Array.from({ length: 50 }, () => sampleOf(30.1, 30)));
    expect(hand.live.value?.path.length).toBe(1);
    const long = Array.from({ length: 12_345 }, (_, i): Point => [i / 12_345, 0]);
    const short = thinned(long);
    expect(short.length).toBeLessThanOrEqual(5000);
    expect([short[0], short.at(-1)]).toEqual([long[0], long.at(-1)]);
  });
});
