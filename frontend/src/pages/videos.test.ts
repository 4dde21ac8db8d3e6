import { describe, expect, test } from "vitest";
import { CARD } from "../api/samples";
import { frameAt } from "./Thumbnail";
import { isBusy } from "./videos";

describe("videos", () => {
  test("are busy while one is imported or a round runs", () => {
    expect(isBusy([CARD])).toBe(false);
    expect(isBusy([{ ...CARD, state: "importing" }])).toBe(true);
    expect(isBusy([{ ...CARD, running: true }])).toBe(true);
  });

  test("leaf from the first frame to the last", () => {
    expect([frameAt(-0.1, 80), frameAt(0, 80), frameAt(0.999, 80), frameAt(1.2, 80)]).toEqual([0, 0, 79, 79]);
    expect(frameAt(0.7, 1)).toBe(0);
  });
});
