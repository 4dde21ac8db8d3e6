import { afterEach, expect, test, vi } from "vitest";
import { coarseFirst, SmallFrames } from "./smallFrames";

afterEach(() => vi.unstubAllGlobals());

test("small pictures cover the whole video early, and each frame once", () => {
  const order = coarseFirst(330);
  expect(order.slice(0, 21)).toEqual(Array.from({ length: 21 }, (_, index) => index * 16));
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 330 }, (_, frame) => frame));
  expect(coarseFirst(0)).toEqual([]);
});

test("the picture of a frame that is near stands in, and is named as what it is", async () => {
  vi.stubGlobal("createImageBitmap", async () => ({ width: 1, height: 1, close: () => {} }));
  vi.stubGlobal("fetch", async (url: string) => {
    if (!/\/(0|8)\.jpg$/.test(url)) throw new Error("away");
    return new Response("x");
  });
  const small = new SmallFrames(5);
  await small.load(16);
  expect([small.done, small.version.value, small.load(16)]).toEqual([true, 2, undefined]);
  expect([0, 2, 3, 6, 10].map((frame) => small.get(frame)?.frame)).toEqual([0, 0, undefined, 8, 8]);
  // A picture far away is shown as well if it is nearer than what is on screen: a scrub is then never far behind.
  expect([
    small.nearer(15, 0)?.frame,
    small.nearer(5, 8),
    small.nearer(8, 8),
    small.nearer(5, -1)?.frame,
  ]).toEqual([8, undefined, undefined, 8]);
  small.close();
});
