import { describe, expect, it } from "vitest";
import {
  canvasPoint,
  fitView,
  framePoint,
  fromUnit,
  keepInReach,
  MAX_SCALE,
  MIN_SCALE,
  toCanvas,
  toFrame,
  toUnit,
  viewAround,
  zoomAt,
} from "./view";

const frame = { width: 854, height: 480 };
const stage = { width: 1000, height: 700 };

describe("canvas and frame coordinates", () => {
  it("are inverse to each other", () => {
    const view = { scale: 1.7, x: -33, y: 12.5 };
    const there = toCanvas(view, framePoint(123.25, 77));
    const back = toFrame(view, there);
    expect(back.x).toBeCloseTo(123.25);
    expect(back.y).toBeCloseTo(77);
  });

  it("fit the whole frame into the middle of the stage", () => {
    const view = fitView(frame, stage);
    const [from, to] = [toCanvas(view, framePoint(0, 0)), toCanvas(view, framePoint(854, 480))];
    expect(from.x).toBeCloseTo(20);
    expect(to.x).toBeCloseTo(980);
    expect(from.y).toBeCloseTo(700 - to.y);
  });

  it("fit a portrait frame by its height", () => {
    const view = fitView({ width: 480, height: 854 }, stage);
    expect(854 * view.scale).toBeCloseTo(660);
  });

  it("keep what lies under the cursor there when zooming", () => {
    const view = fitView(frame, stage);
    const at = canvasPoint(311, 222);
    const before = toFrame(view, at);
    for (const factor of [1.3, 0.4, 1e6, 1e-6]) {
      const after = toFrame(zoomAt(view, at, factor), at);
      expect(after.x).toBeCloseTo(before.x, 5);
      expect(after.y).toBeCloseTo(before.y, 5);
    }
  });

  it("zoom no further than the limits", () => {
    const view = { scale: 1, x: 0, y: 0 };
    expect(zoomAt(view, canvasPoint(0, 0), 1e6).scale).toBe(MAX_SCALE);
    expect(zoomAt(view, canvasPoint(0, 0), 1e-6).scale).toBe(MIN_SCALE);
  });

  it("keep a part of the picture on the stage however far it is moved", () => {
    const far = keepInReach({ scale: 1, x: 99999, y: -99999 }, frame, stage);
    expect(far.x).toBe(1000 - 60);
    expect(far.y).toBe(60 - 480);
  });

  it("stretch a frame whose pixels are not square, in every view", () => {
    const pal = { width: 720, height: 576 };
    const stretch = 64 / 45; // 720 such pixels are as wide as 1024 square ones
    const view = fitView(pal, stage, stretch);
    const [from, to] = [toCanvas(view, framePoint(0, 0)), toCanvas(view, framePoint(720, 576))];
    expect((to.x - from.x) / (to.y - from.y)).toBeCloseTo(1024 / 576);
    expect(from.x).toBeCloseTo(1000 - to.x);
    const at = canvasPoint(311, 222);
    for (const other of [view, zoomAt(view, at, 3), viewAround(framePoint(90, 50), 2, stage, stretch)]) {
      const back = toCanvas(other, toFrame(other, at));
      expect([back.x, back.y]).toEqual([expect.closeTo(311), expect.closeTo(222)]);
    }
    expect(toFrame(zoomAt(view, at, 3), at).x).toBeCloseTo(toFrame(view, at).x);
    expect(keepInReach({ ...view, x: -99999 }, pal, stage).x).toBeCloseTo(60 - 720 * view.scale * stretch);
  });

  it("put the asked point in the middle", () => {
    const view = viewAround(framePoint(100, 50), 3, stage);
    expect(toFrame(view, canvasPoint(500, 350))).toEqual({ x: 100, y: 50 });
  });

  it("go to 0..1 and back, and stop at the frame's edge", () => {
    expect(toUnit(framePoint(427, 120), frame)).toEqual([0.5, 0.25]);
    expect(fromUnit([0.5, 0.25], frame)).toEqual({ x: 427, y: 120 });
    expect(toUnit(framePoint(-5, 900), frame)).toEqual([0, 1]);
  });
});
