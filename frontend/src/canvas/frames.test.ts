import { describe, expect, it } from "vitest";
import { wantedAround } from "./frames";

describe("which pictures are loaded", () => {
  it("are the one in view, then those ahead, with some from behind", () => {
    expect(wantedAround(10, 1, 100, 6)).toEqual([10, 11, 12, 13, 9, 14, 15, 16, 8]);
    expect(wantedAround(10, -1, 100, 3)).toEqual([10, 9, 8, 7, 11]);
  });

  it("are never outside of the video", () => {
    expect(wantedAround(0, 1, 3, 9)).toEqual([0, 1, 2]);
  });
});
