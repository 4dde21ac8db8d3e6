import { describe, expect, it } from "vitest";
import { fakeStudio } from "../editor/testing";
import { dragCut, goToCut, storeDraggedCuts, toggleCut } from "./cuts";

const cutsSent = (studio: ReturnType<typeof fakeStudio>) =>
  studio.sent.flatMap((message) => (message.type === "cuts.set" ? [message.cuts] : []));

describe("scene cuts", () => {
  it("are added and removed at the frame in view, and undone", () => {
    const studio = fakeStudio({ cuts: [7] });
    studio.store.frame.value = 4;
    toggleCut(studio);
    expect(studio.store.cuts.value).toEqual([4, 7]);
    studio.store.frame.value = 7;
    toggleCut(studio);
    studio.history.undo();
    expect(cutsSent(studio)).toEqual([[4, 7], [4], [4, 7]]);
  });

  it("are never at the first frame", () => {
    const studio = fakeStudio();
    toggleCut(studio);
    expect(cutsSent(studio)).toEqual([]);
  });

  it("are moved by a drag, which is one change", () => {
    const studio = fakeStudio({ cuts: [3, 6] });
    let at = dragCut(studio, 3, 4);
    at = dragCut(studio, at, 6); // the place of another cut
    at = dragCut(studio, at, 5);
    expect([at, studio.store.cuts.value, cutsSent(studio)]).toEqual([5, [5, 6], []]);
    storeDraggedCuts(studio, [3, 6]);
    studio.history.undo();
    expect(cutsSent(studio)).toEqual([
      [5, 6],
      [3, 6],
    ]);
  });

  it("are as before if the server refuses the change", async () => {
    const studio = fakeStudio({ cuts: [3] });
    studio.store.frame.value = 5;
    toggleCut(studio);
    await studio.refuse("cuts.set", "bad_cut");
    expect(studio.store.cuts.value).toEqual([3]);
  });

  it("that were dragged are where they were before if the server refuses it", async () => {
    const studio = fakeStudio({ cuts: [3, 6] });
    dragCut(studio, 3, 4);
    storeDraggedCuts(studio, [3, 6]);
    await studio.refuse("cuts.set", "bad_cut");
    expect(studio.store.cuts.value).toEqual([3, 6]);
  });

  it("are gone to one after the other, and the ends of the video too", () => {
    const studio = fakeStudio({ cuts: [3, 6] });
    const visited = [1, 1, 1, -1].map((direction) => {
      goToCut(studio, direction as 1 | -1);
      return studio.store.frame.value;
    });
    expect(visited).toEqual([3, 6, 9, 6]);
  });
});
