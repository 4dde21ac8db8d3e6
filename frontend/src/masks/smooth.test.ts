// @vitest-environment node
import { describe, expect, it } from "vitest";
import { copyOf, emptyBitmap, samePixels } from "./bitmap";
import { smoothInto } from "./smooth";

describe("smoothing", () => {
  const ragged = () => {
    const bitmap = emptyBitmap(30, 30);
    for (let y = 8; y < 22; y++) bitmap.bits.fill(1, y * 30 + 8, y * 30 + 22);
    bitmap.bits[7 * 30 + 15] = 1; // a spike on the contour
    bitmap.bits[21 * 30 + 15] = 0; // a notch in it
    bitmap.bits[3 * 30 + 3] = 1; // a speck
    return bitmap;
  };

  it("takes spikes, notches and specks away and keeps straight contours", () => {
    const bitmap = ragged();
    smoothInto(bitmap, copyOf(bitmap), { x: 0, y: 0, w: 30, h: 30 }, 2.5);
    expect(bitmap.bits[7 * 30 + 15]).toBe(0);
    expect(bitmap.bits[21 * 30 + 15]).toBe(1);
    expect(bitmap.bits[3 * 30 + 3]).toBe(0);
    for (const x of [10, 14, 19]) expect([bitmap.bits[7 * 30 + x], bitmap.bits[8 * 30 + x]]).toEqual([0, 1]);
  });

  it("leaves the pixels outside of its box alone", () => {
    const bitmap = ragged();
    smoothInto(bitmap, copyOf(bitmap), { x: 0, y: 0, w: 8, h: 8 }, 2.5);
    expect(bitmap.bits[3 * 30 + 3]).toBe(0);
    expect(bitmap.bits[7 * 30 + 15]).toBe(1);
  });

  it("does not eat an object at the edge of the frame", () => {
    const full = emptyBitmap(12, 12);
    full.bits.fill(1);
    const after = copyOf(full);
    smoothInto(after, full, { x: 0, y: 0, w: 12, h: 12 }, 3);
    expect(samePixels(after, full)).toBe(true);
  });
});
