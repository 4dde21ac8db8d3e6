import { describe, expect, test } from "vitest";
import { heatsOf } from "./draw";
import { whole } from "./scale";
import { strips } from "./strips";

test("heat goes from the low colour over the middle one to the high one", () => {
  const colors = heatsOf("#ff0000", "#00ff00", "#0000ff");
  expect([colors[0], colors.at(-1)]).toEqual(["rgb(255 0 0)", "rgb(0 0 255)"]);
});

describe("ranges on the screen", () => {
  test("are one where they touch, and never thinner than a pixel", () => {
    const scale = whole(5000, 1000);
    const alternating = Array.from({ length: 2500 }, (_, index) => [index * 2, index * 2] as const);
    expect(strips(scale, alternating)).toEqual([[0, 1000]]);
    expect(strips(scale, [[100, 100]])).toEqual([[20, 21]]);
    expect(
      strips(scale, [
        [0, 99],
        [200, 299],
      ]),
    ).toEqual([
      [0, 20],
      [40, 60],
    ]);
  });

  test("end at the edges of what is shown", () => {
    const scale = { first: 1000, count: 100, total: 5000, width: 1000 };
    expect(
      strips(scale, [
        [0, 500],
        [900, 1009],
        [1090, 4000],
      ]),
    ).toEqual([
      [0, 100],
      [900, 1000],
    ]);
  });
});
