// @vitest-environment node
import { describe, expect, it } from "vitest";
import { withContour } from "../masks/contour";
import { labelMap } from "../masks/testing";
import { addSmooth, type Line, outlines } from "./outline";

const traced = (...rows: string[]) => outlines(withContour(labelMap(...rows)));
const closed = (line: Line): boolean => line[0] === line.at(-2) && line[1] === line.at(-1);

/** Twice the area that closed lines enclose, holes taken away. */
const area = (lines: readonly Line[]): number =>
  lines.reduce((sum, line) => {
    let twice = 0;
    for (let i = 0; i + 3 < line.length; i += 2)
      twice +=
        (line[i] as number) * (line[i + 3] as number) - (line[i + 2] as number) * (line[i + 1] as number);
    return sum + twice / 2;
  }, 0);

describe("contours as lines", () => {
  it("enclose exactly the object's pixels, holes left out", () => {
    const lines = traced("......", ".1111.", ".1..1.", ".1111.", "......").get(1) as Line[];
    expect(lines.length).toBe(2);
    expect(lines.every(closed)).toBe(true);
    expect(area(lines)).toBe(10);
  });

  it("keep pixels apart that touch at a corner only", () => {
    const lines = traced("....", ".1..", "..1.", "....").get(1) as Line[];
    expect(lines.length).toBe(2);
    expect(area(lines)).toBe(2);
  });

  it("are open at the edge of the frame, which is no contour", () => {
    const lines = traced("11..", "11..", "....").get(1) as Line[];
    expect(lines).toEqual([[2, 0, 2, 1, 2, 2, 1, 2, 0, 2]]);
  });

  it("are drawn for each of two objects that touch", () => {
    const found = traced("......", ".1122.", ".1122.", "......");
    expect([...found.keys()].sort()).toEqual([1, 2]);
    for (const lines of found.values()) expect(area(lines)).toBe(4);
  });

  it("stay within half a pixel of the border of the pixels, as curves through the middles of its sides", () => {
    const calls: string[] = [];
    const path = {
      moveTo: (x: number, y: number) => calls.push(`M ${x} ${y}`),
      lineTo: (x: number, y: number) => calls.push(`L ${x} ${y}`),
      quadraticCurveTo: (cx: number, cy: number, x: number, y: number) =>
        calls.push(`Q ${cx} ${cy} ${x} ${y}`),
    };
    addSmooth(path as unknown as Path2D, traced("...", ".1.", "...").get(1)?.[0] as Line);
    expect(calls).toEqual(["M 1.5 1", "Q 2 1 2 1.5", "Q 2 2 1.5 2", "Q 1 2 1 1.5", "Q 1 1 1.5 1"]);
  });
});
