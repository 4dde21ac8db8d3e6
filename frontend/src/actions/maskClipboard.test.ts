import { beforeEach, describe, expect, it } from "vitest";
import { type FakeStudio, fakeStudio, round, settled, state } from "../editor/testing";
import { frameLabels } from "../masks/compose";
import { decodeMask } from "../masks/decode";
import { bytesOfBase64 } from "../masks/encode";
import { packedMask } from "../masks/testing";
import { toasts } from "../parts/Toast";
import { copyMask, fitted, pasteMask } from "./maskClipboard";

const video = (width: number, height: number) => ({ ...state().video, width, height });

/** A studio of a video of 4 x 2 pixels whose object 1 has the two pixels in the middle of the first row. */
async function opened(): Promise<FakeStudio> {
  const studio = fakeStudio({ video: video(4, 2), rounds: [round({ id: 1 })], head: 1 });
  studio.store.masks.add([packedMask({ round: 1, frame: 0, rows: [".11.", "...."] })]);
  await settled();
  return studio;
}

function painted(studio: FakeStudio): { frame: number; object: number; rows: number[][] } | undefined {
  const message = studio.sent.find(({ type }) => type === "mask.paint");
  if (message?.type !== "mask.paint") return undefined;
  const map = decodeMask(bytesOfBase64(message.data));
  const labels = [...frameLabels(map)];
  const rows = Array.from({ length: map.height }, (_, y) => labels.slice(y * map.width, (y + 1) * map.width));
  return { frame: message.frame, object: message.object, rows };
}

beforeEach(() => {
  localStorage.clear();
  toasts.value = [];
});

describe("a copied mask", () => {
  it("is pasted into another frame and object", async () => {
    const studio = await opened();
    copyMask(studio, 1);
    studio.store.frame.value = 5;
    studio.store.masks.add([packedMask({ round: 1, frame: 5, rows: ["....", "...."] })]);
    await settled();
    pasteMask(studio, 2);
    expect(painted(studio)).toEqual({
      frame: 5,
      object: 2,
      rows: [
        [0, 1, 1, 0],
        [0, 0, 0, 0],
      ],
    });
    expect(studio.history.nextUndo()?.name).toBe("pasted mask of bike");
  });

  it("is the mask that the frame shows, also where that is the answer to a waiting scribble", async () => {
    const studio = fakeStudio({ video: video(4, 2) });
    const mask = packedMask({ round: 0, frame: 0, rows: ["..11", "...."] });
    studio.store.preview.value = {
      frame: 0,
      of: "drawn",
      asked: 0,
      answered: true,
      head: null,
      drawn: [],
      mask,
      shown: [],
    };
    copyMask(studio, 1);
    studio.store.preview.value = null;
    pasteMask(studio, 2);
    expect(painted(studio)?.rows[0]).toEqual([0, 0, 1, 1]);
  });

  it("is pasted into another video of another size", async () => {
    copyMask(await opened(), 1);
    const other = fakeStudio({ video: video(8, 4) });
    pasteMask(other, 1);
    const middle = [0, 0, 1, 1, 1, 1, 0, 0];
    const none = [0, 0, 0, 0, 0, 0, 0, 0];
    expect(painted(other)?.rows).toEqual([middle, middle, none, none]);
  });

  it("is not made of nothing, and nothing is pasted without one or on an accepted frame", async () => {
    const studio = await opened();
    copyMask(studio, 2);
    pasteMask(studio, 1);
    copyMask(studio, 1);
    studio.store.accepted.value = new Map([[0, 1]]);
    pasteMask(studio, 2);
    expect(painted(studio)).toBe(undefined);
    expect(toasts.value.map(({ text }) => text.slice(0, 24))).toEqual([
      "“bike” has no mask in fr",
      "There is no copied mask.",
      "Copied the mask of “ride",
      "This frame is accepted: ",
    ]);
  });

  it("is not pasted where nothing can be painted", async () => {
    const studio = await opened();
    copyMask(studio, 1);
    toasts.value = [];
    studio.store.absent.value = new Map([[2, [[0, 3]]]]);
    pasteMask(studio, 2);
    studio.store.absent.value = new Map();
    studio.store.objects.value = studio.store.objects.value.map((object) => ({ ...object, locked: true }));
    pasteMask(studio, 2);
    studio.store.looking.value = 1;
    pasteMask(studio, 2);
    expect(painted(studio)).toBe(undefined);
    expect(toasts.value.map(({ text }) => text)).toEqual([
      "“bike” is marked absent in this frame. Take that back (U) to paint on it.",
      "“bike” is locked. Unlock it (L) to paint on it.",
      "You are looking at another round. Masks can only be painted on the current round.",
    ]);
  });

  it("keeps its shape when it is made smaller", () => {
    const bits = Uint8Array.from([1, 1, 0, 0, 1, 1, 0, 0]);
    expect([...fitted({ width: 4, height: 2, bits }, 2, 1).bits]).toEqual([1, 0]);
  });
});
