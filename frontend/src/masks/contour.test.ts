import { describe, expect, it } from "vitest";
import { type CellMap, withDepth } from "./contour";
import { labelMap } from "./testing";

const depths = (map: CellMap): string[] =>
  Array.from({ length: map.h }, (_, row) =>
    [...map.cells.subarray(row * map.w, (row + 1) * map.w)].map((cell) => cell >> 8).join(""),
  );

describe("depth below the contour", () => {
  it("is 1 where another object or the background is next, and rises inwards", () => {
    const map = withDepth(
      labelMap("........", ".111111.", ".111111.", ".111111.", ".111111.", ".111111.", "........"),
    );
    expect(depths(map)).toEqual([
      "00000000",
      "01111110",
      "01222210",
      "01233210",
      "01222210",
      "01111110",
      "00000000",
    ]);
  });

  it("keeps the object's number in the low byte", () => {
    const map = withDepth(labelMap("...", ".5.", "..."));
    expect((map.cells[4] as number) & 255).toBe(5);
  });

  it("does not begin at the edge of the frame", () => {
    expect(depths(withDepth(labelMap("11", "11")))).toEqual(["00", "00"]);
  });

  it("begins at the edge of a box that lies inside the frame", () => {
    const box = { ...labelMap("11", "11"), width: 10, height: 10, x: 4, y: 4 };
    expect(depths(withDepth(box))).toEqual(["11", "11"]);
  });

  it("separates two objects that touch", () => {
    expect(depths(withDepth(labelMap("1122", "1122")))).toEqual(["2112", "2112"]);
  });

  it("does not run over the end of a line", () => {
    expect(depths(withDepth(labelMap("..1", "1..", "1..")))).toEqual(["001", "100", "100"]);
  });
});
