import { describe, expect, it } from "vitest";
import { fakeStudio } from "../editor/testing";
import { extendSelection, spanInUse } from "./selection";

describe("the selection", () => {
  it("begins at the frame in view and grows with the playhead", () => {
    const studio = fakeStudio();
    studio.store.frame.value = 4;
    expect(spanInUse(studio)).toEqual([4, 4]);
    extendSelection(studio, 1);
    extendSelection(studio, 1);
    expect(studio.store.selection.value).toEqual([4, 6]);
    expect(studio.store.frame.value).toBe(6);
    expect(spanInUse(studio)).toEqual([4, 6]);
  });

  it("shrinks on the way back and turns around at its anchor", () => {
    const studio = fakeStudio();
    studio.store.frame.value = 4;
    extendSelection(studio, 2);
    extendSelection(studio, -1);
    expect(studio.store.selection.value).toEqual([4, 5]);
    extendSelection(studio, -3);
    expect(studio.store.selection.value).toEqual([2, 4]);
  });

  it("ends at the ends of the video", () => {
    const studio = fakeStudio();
    studio.store.frame.value = 7;
    extendSelection(studio, 10);
    expect(studio.store.selection.value).toEqual([7, 9]);
  });

  it("begins anew if the playhead has left it", () => {
    const studio = fakeStudio();
    studio.store.selection.value = [0, 3];
    studio.store.frame.value = 8;
    extendSelection(studio, 1);
    expect(studio.store.selection.value).toEqual([8, 9]);
  });
});
