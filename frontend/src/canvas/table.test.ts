import { describe, expect, it } from "vitest";
import { DEFAULT_VIEW } from "../state/view";
import { changeTables, colorTable, contourDepth, pixel } from "./table";

const objects = [
  { number: 1, name: "rider", color: "#ff0000", label: null, deleted: false, locked: false, position: 1 },
  { number: 2, name: "bike", color: "#00ff00", label: null, deleted: false, locked: false, position: 2 },
  { number: 3, name: "gone", color: "#0000ff", label: null, deleted: true, locked: false, position: 3 },
];
const alpha = (value: number | undefined): number =>
  new Uint8Array(new Uint32Array([value ?? 0]).buffer)[3] ?? 0;

describe("the colour table", () => {
  it("writes pixels as ImageData has them", () => {
    expect([...new Uint8Array(new Uint32Array([pixel("#12ab5f", 0.5)]).buffer)]).toEqual([
      0x12, 0xab, 0x5f, 128,
    ]);
  });

  it("gives the inside the chosen opacity and the contour none of it", () => {
    const table = colorTable(objects, { ...DEFAULT_VIEW, opacity: 40, contour: 2 }, 1);
    expect(alpha(table[1])).toBe(102);
    expect([1, 2, 3].map((depth) => alpha(table[1 + 256 * depth]))).toEqual([255, 255, 102]);
  });

  it("shows nothing of hidden and deleted objects", () => {
    const table = colorTable(objects, { ...DEFAULT_VIEW, hidden: [2] }, 1);
    expect([table[0], table[2], table[2 + 256], table[3]]).toEqual([0, 0, 0, 0]);
    expect(alpha(table[1])).toBeGreaterThan(0);
  });

  it("shows the solo object alone, even a hidden one", () => {
    const table = colorTable(objects, { ...DEFAULT_VIEW, solo: 2, hidden: [2] }, 1);
    expect(table[1]).toBe(0);
    expect(alpha(table[2])).toBeGreaterThan(0);
  });

  it("has only contours in mode outline, and only full areas in mode mask", () => {
    const outline = colorTable(objects, { ...DEFAULT_VIEW, mode: "outline", contour: 0 }, 1);
    expect([alpha(outline[1]), alpha(outline[1 + 256])]).toEqual([0, 255]);
    const mask = colorTable(objects, { ...DEFAULT_VIEW, mode: "mask" }, 1);
    expect([alpha(mask[1]), alpha(mask[1 + 256])]).toEqual([255, 255]);
  });

  it("keeps the contour's width on screen while zooming, within whole pixels", () => {
    expect([0.5, 1, 2, 8].map((scale) => contourDepth({ ...DEFAULT_VIEW, contour: 2 }, scale))).toEqual([
      4, 2, 1, 0,
    ]); // at 8, contours are drawn as lines
    expect(contourDepth({ ...DEFAULT_VIEW, contour: 0 }, 1)).toBe(0);
  });

  it("tells won, lost and unchanged areas apart", () => {
    const tables = changeTables(objects, DEFAULT_VIEW);
    expect(alpha(tables.won[1])).toBeGreaterThan(alpha(tables.same[1]));
    expect(tables.lost[3]).toBe(0);
  });
});
