// @vitest-environment node
import { describe, expect, it } from "vitest";
import type { Bitmap } from "./bitmap";
import { partAt, toggleIsland } from "./islands";

const drawn = (...lines: string[]): Bitmap => ({
  width: (lines[0] as string).length,
  height: lines.length,
  bits: Uint8Array.from(lines.join(""), (cell) => (cell === "1" ? 1 : 0)),
});
const shown = ({ width, bits }: Bitmap): string[] =>
  Array.from({ length: bits.length / width }, (_, row) =>
    [...bits.slice(row * width, (row + 1) * width)].map((bit) => (bit ? "1" : ".")).join(""),
  );

describe("fill and remove", () => {
  const ring = () => drawn("1111..1", "1..1..1", "1.11...", "1111...");

  it("fills a hole that the object surrounds", () => {
    const bitmap = ring();
    expect(toggleIsland(bitmap, 1 * 7 + 2)).toBe("filled");
    expect(shown(bitmap)).toEqual(["1111..1", "1111..1", "1111...", "1111..."]);
  });

  it("removes an island and leaves the others", () => {
    const bitmap = ring();
    expect(toggleIsland(bitmap, 6)).toBe("removed");
    expect(shown(bitmap)).toEqual(["1111...", "1..1...", "1.11...", "1111..."]);
  });

  it("does nothing beside the object, where the background reaches the edge", () => {
    const bitmap = ring();
    expect(toggleIsland(bitmap, 5)).toBeNull();
    expect(shown(bitmap)).toEqual(shown(ring()));
  });

  it("does not join pixels that only touch at a corner, nor across line ends", () => {
    const bitmap = drawn("1..", ".1.", "..1", "1..");
    expect([...partAt(bitmap, 0).pixels]).toEqual([0]);
    expect([...partAt(bitmap, 8).pixels]).toEqual([8]);
  });

  it("finds every pixel of a winding part", () => {
    const bitmap = drawn("11111", "....1", "11111", "1....", "11111");
    expect(partAt(bitmap, 0).pixels.length).toBe(17);
  });
});
