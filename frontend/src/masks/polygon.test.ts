// @vitest-environment node
import { describe, expect, it } from "vitest";
import { emptyBitmap, isEmpty } from "./bitmap";
import { crossesItself, fillPolygon } from "./polygon";

const corners = (...points: [number, number][]) => points.map(([x, y]) => ({ x, y }));
const rows = (bits: Uint8Array, width: number): string[] =>
  Array.from({ length: bits.length / width }, (_, row) =>
    bits.slice(row * width, (row + 1) * width).join(""),
  );

describe("a polygon", () => {
  it("covers the pixels whose centre lies inside", () => {
    const bitmap = emptyBitmap(6, 5);
    fillPolygon(bitmap, corners([1, 1], [4, 1], [4, 4], [1, 4]), 1);
    expect(rows(bitmap.bits, 6)).toEqual(["000000", "011100", "011100", "011100", "000000"]);
    fillPolygon(bitmap, corners([2, 2], [3, 2], [3, 3], [2, 3]), 0);
    expect(rows(bitmap.bits, 6)[2]).toBe("010100");
  });

  it("is cut off at the edge of the frame", () => {
    const bitmap = emptyBitmap(4, 3);
    const box = fillPolygon(bitmap, corners([-5, -5], [2, -5], [2, 20], [-5, 20]), 1);
    expect(rows(bitmap.bits, 4)).toEqual(["1100", "1100", "1100"]);
    expect([box.x, box.y, box.h]).toEqual([0, 0, 3]);
    const outside = emptyBitmap(4, 3);
    fillPolygon(outside, corners([10, 10], [20, 10], [15, 20]), 1);
    expect(isEmpty(outside)).toBe(true);
  });

  it("of fewer than three corners has no inside", () => {
    const bitmap = emptyBitmap(4, 3);
    expect(fillPolygon(bitmap, corners([0, 0], [4, 3]), 1).w).toBe(0);
    expect(isEmpty(bitmap)).toBe(true);
  });

  it("that crosses itself is filled by the even-odd rule and is recognised", () => {
    const bow = corners([0, 0], [8, 8], [8, 0], [0, 8]);
    expect(crossesItself(bow)).toBe(true);
    expect(crossesItself(corners([0, 0], [8, 0], [8, 8], [0, 8]))).toBe(false);
    const bitmap = emptyBitmap(8, 8);
    fillPolygon(bitmap, bow, 1);
    expect(bitmap.bits[4 * 8 + 1]).toBe(1);
    expect(bitmap.bits[1 * 8 + 4]).toBe(0);
  });
});
