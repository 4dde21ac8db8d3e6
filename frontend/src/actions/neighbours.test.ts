import { describe, expect, it } from "vitest";
import { neighbourIn } from "./neighbours";

describe("the next video", () => {
  it("is the one after it in the list, none at its end", () => {
    expect([neighbourIn([4, 5, 6], 5, 1), neighbourIn([4, 5, 6], 5, -1)]).toEqual([6, 4]);
    expect([neighbourIn([4, 5], 5, 1), neighbourIn([4], 9, 1)]).toEqual([null, null]);
  });
});
