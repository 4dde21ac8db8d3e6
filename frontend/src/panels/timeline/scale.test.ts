import { describe, expect, test } from "vitest";
import { cellWidth, clamp, frameAt, isWhole, pan, reveal, ticks, whole, xOf, zoomAt } from "./scale";

const long = whole(3000, 1000);

describe("the scale of the timeline", () => {
  test("shows all frames at first, each in its place", () => {
    expect(isWhole(long)).toBe(true);
    expect(frameAt(long, 0)).toBe(0);
    expect(frameAt(long, 999.9)).toBe(2999);
    expect(frameAt(long, -50)).toBe(0);
    expect(frameAt(long, 5000)).toBe(2999);
    expect(xOf(long, 1500)).toBe(500);
  });

  test("has every frame under its own cell at any zoom", () => {
    const close = zoomAt(long, 730, 0.01);
    for (let frame = Math.ceil(close.first); frame < close.first + close.count - 1; frame += 1)
      expect(frameAt(close, xOf(close, frame) + cellWidth(close) / 2)).toBe(frame);
  });

  test("keeps what is under the cursor there while it zooms", () => {
    const close = zoomAt(long, 400, 0.2);
    expect(close.count).toBeCloseTo(600);
    expect(xOf(close, 1200)).toBeCloseTo(400);
  });

  test("never shows less than a dozen frames nor more than there are", () => {
    expect(zoomAt(long, 10, 1e-9).count).toBe(12);
    expect(zoomAt(long, 10, 1e9)).toEqual(long);
    expect(clamp(whole(5, 1000)).count).toBe(5);
  });

  test("moves, but not past the ends", () => {
    const close = zoomAt(long, 0, 0.1);
    expect(pan(close, -10).first).toBe(0);
    expect(pan(close, 1e6).first).toBeCloseTo(2700);
  });

  test("leafs to a frame outside and stays for one inside", () => {
    const close = clamp({ ...long, first: 1000, count: 100 });
    expect(reveal(close, 1050)).toBe(close);
    for (const frame of [0, 999, 1100, 2999]) {
      const shown = reveal(close, frame);
      expect(shown.first).toBeLessThanOrEqual(frame);
      expect(shown.first + shown.count).toBeGreaterThanOrEqual(frame + 1);
    }
  });

  test("writes numbers that do not touch", () => {
    for (const scale of [long, zoomAt(long, 300, 0.03), whole(80, 1000), whole(1, 1000)]) {
      const marks = ticks(scale);
      expect(marks.length).toBeGreaterThan(0);
      for (const [at, frame] of marks.slice(1).entries())
        expect(xOf(scale, frame) - xOf(scale, marks[at] as number)).toBeGreaterThanOrEqual(64);
    }
  });
});
