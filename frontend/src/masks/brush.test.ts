// @vitest-environment node
import { describe, expect, it } from "vitest";
import { emptyBitmap, isEmpty } from "./bitmap";
import { BrushStroke, type Dab } from "./brush";

const dab = (x: number, y: number, radius: number): Dab => ({ x, y, radius });
const count = (bits: Uint8Array): number => bits.reduce((sum, bit) => sum + bit, 0);

describe("a brush stroke", () => {
  it("covers the pixels whose centre lies within the radius of the line", () => {
    const bitmap = emptyBitmap(40, 30);
    const stroke = new BrushStroke(bitmap, 1, 1);
    stroke.to(dab(8, 9, 4));
    stroke.to(dab(30, 20, 4));
    for (let y = 0; y < 30; y++)
      for (let x = 0; x < 40; x++) {
        const [px, py] = [x + 0.5 - 8, y + 0.5 - 9];
        const t = Math.max(0, Math.min(1, (px * 22 + py * 11) / (22 * 22 + 11 * 11)));
        const inside = Math.hypot(px - 22 * t, py - 11 * t) <= 4;
        expect([x, y, bitmap.bits[y * 40 + x]]).toEqual([x, y, inside ? 1 : 0]);
      }
  });

  it("paints at least the pixel below it, however small it is", () => {
    const bitmap = emptyBitmap(5, 5);
    new BrushStroke(bitmap, 1, 1).to(dab(2.5, 3.5, 0.1));
    expect(count(bitmap.bits)).toBe(1);
    expect(bitmap.bits[3 * 5 + 2]).toBe(1);
  });

  it("takes pixels away as it adds them", () => {
    const bitmap = emptyBitmap(20, 20);
    for (const value of [1, 0] as const) {
      const stroke = new BrushStroke(bitmap, value, 1);
      stroke.to(dab(3, 3, 2.5));
      stroke.to(dab(16, 12, 2.5));
    }
    expect(isEmpty(bitmap)).toBe(true);
  });

  it("follows the pressure of a pen between two dabs", () => {
    const bitmap = emptyBitmap(60, 21);
    const stroke = new BrushStroke(bitmap, 1, 1);
    stroke.to(dab(5, 10.5, 1));
    stroke.to(dab(50, 10.5, 9));
    const height = (x: number): number =>
      count(Uint8Array.from({ length: 21 }, (_, y) => bitmap.bits[y * 60 + x] as number));
    expect(height(6)).toBeLessThan(height(28));
    expect(height(28)).toBeLessThan(height(48));
  });

  it("stays in the frame and says which pixels may have changed", () => {
    const bitmap = emptyBitmap(10, 10);
    const box = new BrushStroke(bitmap, 1, 1).to(dab(-1, 5, 3));
    expect(box.x).toBe(0);
    expect(count(bitmap.bits)).toBeGreaterThan(0);
    for (let at = 0; at < 100; at++)
      if (bitmap.bits[at] === 1) {
        expect(at % 10).toBeLessThan(box.x + box.w);
        expect(Math.floor(at / 10)).toBeGreaterThanOrEqual(box.y);
      }
    const outside = emptyBitmap(10, 10);
    expect(new BrushStroke(outside, 1, 1).to(dab(200, 5, 3)).w).toBe(0);
    expect(isEmpty(outside)).toBe(true);
  });

  it("that is soft paints its core at once and its rim by rubbing", () => {
    const bitmap = emptyBitmap(40, 40);
    const stroke = new BrushStroke(bitmap, 1, 0.4);
    stroke.to(dab(20, 20, 10));
    const once = count(bitmap.bits);
    expect(once).toBeGreaterThan(Math.PI * 4 * 4 * 0.8);
    expect(once).toBeLessThan(Math.PI * 10 * 10 * 0.5);
    for (let i = 0; i < 12; i++) stroke.to(dab(20, 20, 10));
    expect(count(bitmap.bits)).toBeGreaterThan(2 * once);
    expect(bitmap.bits[20 * 40 + 31]).toBe(0); // never beyond its radius
  });
});
