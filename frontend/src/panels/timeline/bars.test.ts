import { describe, expect, test } from "vitest";
import { barHeight, bars, heatOf } from "./bars";
import { NO_MASK, type TimelineModel } from "./model";
import { whole, xOf, zoomAt } from "./scale";

function model(frames: number, fix: number[] = []): TimelineModel {
  const result: TimelineModel = {
    frames,
    sure: new Float32Array(frames).fill(0.9),
    fix: new Uint8Array(frames),
    scores: null,
    lanes: [],
    cuts: [],
    selection: null,
    pins: [],
    outside: [],
    scope: null,
    reached: [],
    running: false,
    accepted: [],
    truth: [],
  };
  for (const frame of fix) {
    result.fix[frame] = 1;
    result.sure[frame] = 0.3;
  }
  return result;
}

describe("confidence bars", () => {
  test("one a frame where there is room, at its frame", () => {
    const scale = whole(80, 1000);
    const drawn = bars(scale, model(80, [52]));
    expect(drawn).toHaveLength(80);
    expect(drawn[52]).toMatchObject({ x: xOf(scale, 52), heat: expect.closeTo(heatOf(0.3) as number) });
    expect(drawn.filter((bar) => (bar.heat ?? 1) < 0.5)).toHaveLength(1);
  });

  test("one a pixel for a long video, and no frame to fix is lost", () => {
    const scale = whole(5000, 1000);
    for (const frame of [0, 1, 2503, 4999]) {
      const drawn = bars(scale, model(5000, [frame]));
      expect(drawn).toHaveLength(1000);
      const found = drawn.filter((bar) => (bar.heat ?? 1) < 0.5);
      expect(found).toHaveLength(1);
      expect(found[0]?.x).toBe(Math.floor(frame / 5));
      expect(found[0]?.height).toBeCloseTo(barHeight(0.3));
    }
  });

  test("only those in sight when zoomed in", () => {
    const scale = zoomAt(whole(5000, 1000), 500, 0.004);
    expect(bars(scale, model(5000)).length).toBeLessThanOrEqual(22);
  });

  test("are higher the surer, and lowest without a mask", () => {
    expect(barHeight(NO_MASK)).toBeLessThan(barHeight(0));
    expect(barHeight(0.8)).toBeLessThan(barHeight(0.9));
    expect(barHeight(1)).toBe(barHeight(1.7));
  });

  test("fill the height between 60 and 92 %, where most frames are", () => {
    expect(barHeight(0.92)).toBe(1);
    expect(barHeight(0.76)).toBeCloseTo((barHeight(0.6) + barHeight(0.92)) / 2);
    expect(barHeight(0.2)).toBe(barHeight(0.6));
  });

  test("have a heat that rises with confidence", () => {
    const heats = [0, 0.4, 0.79, 0.8, 0.9, 1].map((sure) => heatOf(sure) as number);
    expect(heats).toEqual([...heats].sort((a, b) => a - b));
    expect(heats[0]).toBe(0);
    expect(heatOf(NO_MASK)).toBeNull();
  });

  test("of an accepted frame are never hot", () => {
    const accepted = model(10, [4]);
    accepted.fix[4] = 0;
    expect(bars(whole(10, 500), accepted)[4]?.heat).toBeGreaterThanOrEqual(0.75);
  });
});

describe("bars of J&F", () => {
  const scored = (frames: number, scores: Record<number, number>): TimelineModel => {
    const values = new Float32Array(frames).fill(NO_MASK);
    for (const [frame, value] of Object.entries(scores)) values[Number(frame)] = value;
    return { ...model(frames, [1]), scores: values };
  };

  test("take the place of confidence and say how good a frame is", () => {
    const drawn = bars(whole(4, 400), scored(4, { 0: 0.9, 1: 0.6, 2: 0.3 }));
    expect(drawn.map((bar) => bar.heat)).toEqual([expect.closeTo(1), expect.closeTo(0.25), 0, null]);
    expect(drawn.map((bar) => bar.height)).toEqual([...drawn.map((bar) => bar.height)].sort((a, b) => b - a));
  });

  test("a bad frame is not lost among many", () => {
    const scale = whole(5000, 1000);
    const found = bars(scale, scored(5000, { 2500: 0.9, 2503: 0.2 })).filter((bar) => bar.heat === 0);
    expect(found).toHaveLength(1);
    expect(found[0]?.x).toBe(500);
  });
});
