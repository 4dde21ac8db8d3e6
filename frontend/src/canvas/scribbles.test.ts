import { describe, expect, it } from "vitest";
import { distanceTo } from "./scribbles";

describe("the distance to a scribble", () => {
  const path = [
    { x: 0, y: 0 },
    { x: 10, y: 0 },
    { x: 10, y: 10 },
  ];
  it("is measured to its lines, not only to its points", () => {
    expect(distanceTo({ x: 5, y: 3 }, path)).toBe(3);
    expect(distanceTo({ x: 13, y: 14 }, path)).toBe(5);
  });

  it("is measured to the dot where a scribble is a single click", () => {
    expect(distanceTo({ x: 3, y: 4 }, [{ x: 0, y: 0 }])).toBe(5);
  });
});
