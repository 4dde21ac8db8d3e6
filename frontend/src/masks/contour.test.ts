import { describe, expect, it } from "vitest";
import { type DecodedMask, withContour } from "./contour";
import { labelMap } from "./testing";

/** The depth of each pixel of the box, as rows of digits. */
function depths(map: DecodedMask): string[] {
  const cells = new Uint16Array(map.w * map.h);
  map.rim.forEach((pixel, i) => {
    expect(cells[pixel]).toBe(0); // no pixel twice
    cells[pixel] = map.rimCells[i] as number;
  });
  const rows = Array.from({ length: map.h }, (_, row) => cells.subarray(row * map.w, (row + 1) * map.w));
  return rows.map((row) => [...row].map((cell) => cell >> 8).join(""));
}

describe("depth below the contour", () => {
  it("is 1 where another object or the background is next, and rises inwards", () => {
    const map = withContour(
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
    const map = withContour(labelMap("...", ".5.", "..."));
    expect([...map.rimCells].map((cell) => cell & 255)).toEqual([5]);
  });

  it("does not begin at the edge of the frame", () => {
    expect(depths(withContour(labelMap("11", "11")))).toEqual(["00", "00"]);
  });

  it("begins at the edge of a box that lies inside the frame", () => {
    const box = { ...labelMap("11", "11"), width: 10, height: 10, x: 4, y: 4 };
    expect(depths(withContour(box))).toEqual(["11", "11"]);
  });

  it("separates two objects that touch", () => {
    expect(depths(withContour(labelMap("1122", "1122")))).toEqual(["2112", "2112"]);
  });

  it("does not run over the end of a line", () => {
    expect(depths(withContour(labelMap("..1", "1..", "1..")))).toEqual(["001", "100", "100"]);
  });
});
