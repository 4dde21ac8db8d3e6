import { describe, expect, it } from "vitest";
import { movedPart } from "./change";
import { packedMask } from "./testing";

const mask = (...rows: string[]) => packedMask({ round: 1, frame: 0, rows });

describe("the part of an object that moved", () => {
  it("are the pixels that only one of two masks has", () => {
    const before = mask("1122", "1122");
    expect(movedPart(before, mask("1112", "1112"), 1)).toBeCloseTo(2 / 6);
    expect(movedPart(before, mask("1112", "1112"), 2)).toBeCloseTo(2 / 4);
    expect(movedPart(before, mask("1122", "1122"), 1)).toBe(0);
  });

  it("is not known if one mask does not show the object", () => {
    expect(movedPart(mask("11"), mask("22"), 1)).toBe(null);
    expect(movedPart(mask("22"), mask("11"), 1)).toBe(null);
  });
});
