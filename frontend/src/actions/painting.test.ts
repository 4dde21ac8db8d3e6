import { afterEach, describe, expect, it } from "vitest";
import { ANN, type FakeStudio, fakeStudio, settled } from "../editor/testing";
import { bitmapOf } from "../masks/compose";
import { encodeLabels } from "../masks/encode";
import type { MaskPaint } from "../protocol";
import type { Preview } from "../state/preview";
import { paint, shownAt } from "./painting";
import { showPreview, watchPreview } from "./preview";

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
      answered: true,
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

describe("a painting over a preview", () => {
  const [width, height] = [100, 50];
  const ends: (() => void)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  function ready(): FakeStudio {
    const studio = fakeStudio();
    studio.socket.send = () => true;
    ends.push(watchPreview(studio));
    return studio;
  }

  /** Draws a scribble, whose preview is asked for. */
  async function draw({ store }: FakeStudio, key: string): Promise<void> {
    const scribble = {
      key,
      frame: 0,
      object: 1,
      path: [],
      kind: "scribble",
      positive: true,
      author: ANN,
    } as const;
    store.unsaved.value = [...store.unsaved.peek(), { ...scribble, path: [[0.5, 0.5]] }];
    await settled();
  }

  /** The server's answer: object 1 has the pixels before `count`. */
  function answer(studio: FakeStudio, count: number): void {
    const data = encodeLabels(width, height, new Uint8Array(width * height).fill(1, 0, count));
    showPreview(studio, { seq: 0, round: 0, frame: 0, confidence: new Uint8Array([255, 255]), data });
  }

  /** Gives object 1 the pixels before `count`, and returns the messages of all paintings so far. */
  function painted(studio: FakeStudio, count: number): MaskPaint[] {
    const labels = new Uint8Array(width * height).fill(1, 0, count);
    paint(studio, 0, 1, bitmapOf(labels, width, height, 1), "painting", shownAt(studio, 0));
    return studio.sent.filter((message) => message.type === "mask.paint");
  }

  it("takes the scribbles along that the preview contains, and no later one", async () => {
    const studio = ready();
    await draw(studio, "a");
    expect(painted(studio, 10).at(-1)?.scribbles, "without an answer").toEqual([]);
    answer(studio, 500);
    await draw(studio, "b");
    expect(painted(studio, 20).at(-1)?.scribbles, "b has no answer yet").toEqual(["a"]);
    answer(studio, 600);
    expect(painted(studio, 30).at(-1)?.scribbles).toEqual(["a", "b"]);
  });

  it("is stored although it brings back the stored mask, and not if nothing that is seen changes", async () => {
    const studio = ready();
    await draw(studio, "a");
    answer(studio, 500);
    expect(painted(studio, 500)).toEqual([]);
    expect(painted(studio, 0)).toMatchObject([{ scribbles: ["a"] }]);
  });
});
