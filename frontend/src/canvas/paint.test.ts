import { describe, expect, it } from "vitest";
import { withContour } from "../masks/contour";
import { labelMap } from "../masks/testing";
import { MaskPixels } from "./paint";

const table = Uint32Array.from({ length: 1280 }, (_, cell) => (cell & 255) * 0x01010101);
const shown = (pixels: MaskPixels): string =>
  [...new Uint32Array(pixels.data.buffer)].map((pixel) => (pixel === 0 ? "." : String(pixel & 255))).join("");

describe("painting a mask", () => {
  it("looks every cell up and leaves nothing of the mask before", () => {
    const pixels = new MaskPixels({ width: 4, height: 2 });
    pixels.show(withContour(labelMap("11..", "....")), table);
    expect(shown(pixels)).toBe("11......");
    const changed = pixels.show(withContour({ ...labelMap("2"), width: 4, height: 2, x: 3, y: 1 }), table);
    expect(shown(pixels)).toBe(".......2");
    expect(changed).toEqual({ x: 0, y: 0, w: 4, h: 2 });
  });

  it("says that only the box changed", () => {
    const pixels = new MaskPixels({ width: 100, height: 100 });
    const box = { ...labelMap("1"), width: 100, height: 100, x: 40, y: 50 };
    expect(pixels.show(withContour(box), table)).toEqual({ x: 40, y: 50, w: 1, h: 1 });
    expect(pixels.clear()).toEqual({ x: 40, y: 50, w: 1, h: 1 });
    expect(pixels.clear().w).toBe(0);
  });

  it("shows what an object won, lost and kept", () => {
    const pixels = new MaskPixels({ width: 3, height: 1 });
    const tables = { won: Uint32Array.of(0, 1), lost: Uint32Array.of(0, 2), same: Uint32Array.of(0, 3) };
    pixels.showChanges(withContour(labelMap("11.")), withContour(labelMap(".11")), tables);
    expect(shown(pixels)).toBe("132");
  });
});
