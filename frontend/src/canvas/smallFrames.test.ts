import { expect, test } from "vitest";
import { coarseFirst } from "./smallFrames";

test("small pictures cover the whole video early, and each frame once", () => {
  const order = coarseFirst(330);
  expect(order.slice(0, 21)).toEqual(Array.from({ length: 21 }, (_, index) => index * 16));
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 330 }, (_, frame) => frame));
  expect(coarseFirst(0)).toEqual([]);
});
