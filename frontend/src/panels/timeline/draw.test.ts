import { describe, expect, test } from "vitest";
import { barHeight, bars, shownLanes, strips } from "./draw";
import { type Lane, NO_MASK, type TimelineModel } from "./model";
import { whole, xOf, zoomAt } from "./scale";

function model(frames: number, fix: number[] = []): TimelineModel {
  const result: TimelineModel = {
    frames,
    sure: new Float32Array(frames).fill(0.9),
    fix: new Uint8Array(frames),
    lanes: [],
    interacted: [],
    waiting: [],
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
    expect(drawn[52]).toMatchObject({ x: xOf(scale, 52), fix: true });
    expect(drawn.filter((bar) => bar.fix)).toHaveLength(1);
  });

  test("one a pixel for a long video, and no frame to fix is lost", () => {
    const scale = whole(5000, 1000);
    for (const frame of [0, 1, 2503, 4999]) {
      const drawn = bars(scale, model(5000, [frame]));
      expect(drawn).toHaveLength(1000);
      const found = drawn.filter((bar) => bar.fix);
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
    expect(barHeight(0)).toBeLessThan(barHeight(0.5));
    expect(barHeight(0.5)).toBeLessThan(barHeight(1));
    expect(barHeight(1)).toBe(barHeight(1.7));
  });
});

describe("ranges on the screen", () => {
  test("are one where they touch, and never thinner than a pixel", () => {
    const scale = whole(5000, 1000);
    const alternating = Array.from({ length: 2500 }, (_, index) => [index * 2, index * 2] as const);
    expect(strips(scale, alternating)).toEqual([[0, 1000]]);
    expect(strips(scale, [[100, 100]])).toEqual([[20, 21]]);
    expect(
      strips(scale, [
        [0, 99],
        [200, 299],
      ]),
    ).toEqual([
      [0, 20],
      [40, 60],
    ]);
  });

  test("end at the edges of what is shown", () => {
    const scale = { first: 1000, count: 100, total: 5000, width: 1000 };
    expect(
      strips(scale, [
        [0, 500],
        [900, 1009],
        [1090, 4000],
      ]),
    ).toEqual([
      [0, 100],
      [900, 1000],
    ]);
  });
});

describe("lanes", () => {
  const lane = (number: number, selected = false): Lane => ({
    number,
    color: "#ff0000",
    hidden: false,
    selected,
    ranges: [],
  });

  test("are all shown while there is room", () => {
    expect(shownLanes([lane(1), lane(2)]).map((one) => one.number)).toEqual([1, 2]);
  });

  test("of many always hold the selected object", () => {
    const many = Array.from({ length: 40 }, (_, index) => lane(index + 1, index === 30));
    const shown = shownLanes(many).map((one) => one.number);
    expect(shown).toHaveLength(13);
    expect(shown).toContain(31);
  });
});
