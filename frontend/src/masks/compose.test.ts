// @vitest-environment node
import { describe, expect, it } from "vitest";
import { applyBitmap, bitmapOf, frameLabels, labelMapOf, type Over } from "./compose";
import { withContour } from "./contour";
import { labelsOf } from "./decode";

const labels = () => Uint8Array.from([0, 1, 1, 2, 2, 3]);
const painted = (over: Over, locked: number[] = [], accepted: number[] = []) => {
  const after = labels();
  const protection = { locked: new Set(locked), accepted: new Set(accepted) };
  applyBitmap(after, 1, Uint8Array.from([1, 0, 1, 1, 0, 1]), over, protection);
  return [...after];
};

describe("painting an object", () => {
  it("gives and takes the object's own pixels and keeps those of others", () => {
    expect(painted("none")).toEqual([1, 0, 1, 2, 2, 3]);
  });

  it("takes pixels of objects that are not locked, or of all", () => {
    expect(painted("unlocked", [3])).toEqual([1, 0, 1, 1, 2, 3]);
    expect(painted("all", [3])).toEqual([1, 0, 1, 1, 2, 1]);
    expect(painted("all", [], [3])).toEqual([1, 0, 1, 1, 2, 3]);
  });
});

describe("a composed label map", () => {
  it("is shown like a decoded one, with its box and its contour", () => {
    const frame = new Uint8Array(6 * 5);
    for (const at of [8, 9, 14, 15, 16]) frame[at] = 2;
    const map = labelMapOf(frame, 6, 5);
    expect([map.x, map.y, map.w, map.h]).toEqual([2, 1, 3, 2]);
    expect([...labelsOf(map)]).toEqual([2, 2, 0, 2, 2, 2]);
    expect(frameLabels(map)).toEqual(frame);
    expect(withContour(map).rim.length).toBe(5);
    expect([...bitmapOf(frame, 6, 5, 2).bits].filter(Boolean).length).toBe(5);
  });

  it("of an empty frame shows nothing", () => {
    const map = labelMapOf(new Uint8Array(30), 6, 5);
    expect([map.w, map.h, map.values.length]).toEqual([0, 0, 0]);
    expect(withContour(map).rim.length).toBe(0);
  });
});
