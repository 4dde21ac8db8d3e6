import { describe, expect, it } from "vitest";
import { frameLabels } from "./compose";
import { sampleLabels } from "./sample";
import { labelMap } from "./testing";

const map = labelMap("..11..", ".1122.", ".3322.", "......");

describe("a mask at a smaller size", () => {
  it("is the mask itself at its own size", () => {
    expect(sampleLabels(map, 6, 4)).toEqual(frameLabels(map));
  });

  it("has the labels at the centres of its cells", () => {
    expect([...sampleLabels(map, 3, 2)]).toEqual([1, 2, 0, 0, 0, 0]);
  });

  it("is read from the box that the mask is cropped to", () => {
    const box = { ...labelMap("12", "12"), width: 6, height: 4, x: 2, y: 1 };
    expect([...sampleLabels(box, 6, 4)]).toEqual([...frameLabels(box)]);
    expect([...sampleLabels({ ...box, w: 0, h: 0 }, 2, 2)]).toEqual([0, 0, 0, 0]);
  });
});
