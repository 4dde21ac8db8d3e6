import { describe, expect, it } from "vitest";
import { fakeStudio } from "../editor/testing";
import { nextFrame, playedRange } from "./playback";

describe("playback", () => {
  it("plays the selected span, else all frames", () => {
    const studio = fakeStudio();
    expect(playedRange(studio)).toEqual([0, 9]);
    studio.store.selection.value = [3, 6];
    expect(playedRange(studio)).toEqual([3, 6]);
    studio.store.selection.value = [3, 3];
    expect(playedRange(studio)).toEqual([0, 9]);
  });

  it("stops at the end of the range, or begins again", () => {
    expect(nextFrame(4, [3, 6], false)).toBe(5);
    expect(nextFrame(6, [3, 6], false)).toBe(null);
    expect(nextFrame(6, [3, 6], true)).toBe(3);
    expect(nextFrame(9, [3, 6], true)).toBe(3);
    expect(nextFrame(0, [3, 6], false)).toBe(3);
  });
});
