import { expect, test } from "vitest";
import { picturesOf } from "./Filmstrip";
import { whole, zoomAt } from "./scale";

test("pictures cover the strip, in order, each near the frame of its place", () => {
  const scale = whole(330, 1000);
  const pictures = picturesOf(scale, 53);
  expect(pictures.at(-1)?.x).toBeGreaterThanOrEqual(1000 - 53);
  for (const { x, frame } of pictures) {
    const place = ((x + 26) / 1000) * 330;
    expect(Math.abs(frame - place)).toBeLessThanOrEqual(16);
    expect(frame).toBeLessThan(330);
  }
});

test("zooming a little changes few pictures", () => {
  const before = new Set(picturesOf(whole(5000, 1000), 53).map(({ frame }) => frame));
  const after = picturesOf(zoomAt(whole(5000, 1000), 0, 0.999), 53).map(({ frame }) => frame);
  expect(after.filter((frame) => !before.has(frame)).length).toBeLessThan(after.length / 4);
});

test("a video of one frame has one frame", () => {
  expect(new Set(picturesOf(whole(1, 500), 53).map(({ frame }) => frame))).toEqual(new Set([0]));
});
