import { expect, it } from "vitest";
import { wheelFactor } from "./pointer";

it("a notch of a mouse zooms a little, with Ctrl too, and a pinch follows the fingers", () => {
  for (const pinch of [true, false])
    for (const pixels of [100, 120, 400]) {
      expect(wheelFactor(-pixels, pinch)).toBeLessThanOrEqual(1.25);
      expect(wheelFactor(pixels, pinch)).toBeGreaterThanOrEqual(1 / 1.25);
    }
  expect(wheelFactor(-120, true) * wheelFactor(120, true)).toBeCloseTo(1);
  expect(wheelFactor(-3, true)).toBeCloseTo(Math.exp(0.03));
});
