import { describe, expect, it } from "vitest";
import { fakeStudio } from "../editor/testing";
import { limitsOf, mark, markedSpan, setScope, untilNextFixed } from "./scope";

describe("in and out points", () => {
  it("limit the next round", () => {
    const studio = fakeStudio();
    expect(limitsOf(studio, [4])).toEqual({
      span: null,
      direction: "both",
      objects: null,
      across_cuts: false,
    });
    studio.store.frame.value = 2;
    mark(studio, "first");
    expect(markedSpan(studio)).toEqual([2, 9]);
    studio.store.frame.value = 6;
    mark(studio, "last");
    setScope(studio, { direction: "forward", onlySelected: true, acrossCuts: true });
    expect(limitsOf(studio, [4])).toEqual({
      span: [2, 6],
      direction: "forward",
      objects: [1],
      across_cuts: true,
    });
  });

  it("on the wrong side of each other drop the older one", () => {
    const studio = fakeStudio();
    studio.store.frame.value = 3;
    mark(studio, "last");
    studio.store.frame.value = 5;
    mark(studio, "first");
    expect(markedSpan(studio)).toEqual([5, 9]);
  });
});

describe("a round up to the next fixed frame", () => {
  it("ends before it on both sides, and leaves drawn frames in", () => {
    expect(untilNextFixed([2, 4, 8], [4], [0, 9])).toEqual([3, 7]);
    expect(untilNextFixed([], [4], [1, 9])).toEqual([1, 9]);
    expect(untilNextFixed([0, 9], [3, 6], [2, 9])).toEqual([2, 8]);
  });
});
