import { expect, it } from "vitest";
import { fakeStudio } from "../editor/testing";
import { encodeLabels } from "../masks/encode";
import type { Preview } from "../state/preview";
import { shownAt } from "./painting";

it("goes on from the answer to waiting scribbles, which the frame shows, and not from that to hovering", () => {
  const studio = fakeStudio();
  const { width, height } = studio.store.video.peek() ?? { width: 0, height: 0 };
  const data = encodeLabels(width, height, new Uint8Array(width * height).fill(1));
  const mask = { seq: 0, round: 0, frame: 0, confidence: new Uint8Array([200]), data };
  const shows = (of: Preview["of"], frame: number) => {
    studio.store.preview.value = {
      frame,
      of,
      asked: 0,
      head: null,
      drawn: ["a", "b"],
      mask: { ...mask, frame },
      shown: ["a"],
    };
    const shown = shownAt(studio, 0);
    return [shown?.labels[0], shown?.scribbles];
  };
  expect(shows("drawn", 0)).toEqual([1, ["a"]]);
  expect(shows("hover", 0)).toEqual([0, []]);
  expect(shows("drawn", 1)).toEqual([0, []]);
});
