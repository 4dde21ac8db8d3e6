import { afterEach, expect, test, vi } from "vitest";
import { FrameCache } from "./frames";
import { coarseFirst, picturesIn, type Series, SmallFrames } from "./smallFrames";
import { packedPictures } from "./testing";

afterEach(() => vi.unstubAllGlobals());

function framesOf({ first, last, step }: Series): number[] {
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step);
}

/** Answers requests for small pictures of all frames but some, and decodes each to a bitmap. Returns the addresses. */
function answerRequests(without: (frame: number) => boolean = () => false): string[] {
  const asked: string[] = [];
  vi.stubGlobal("createImageBitmap", async () => ({ width: 1, height: 1, close: () => {} }));
  vi.stubGlobal("fetch", async (url: string) => {
    asked.push(url);
    return packedPictures(url, without);
  });
  return asked;
}

test("small pictures cover the whole video early, and each frame once", () => {
  for (const count of [0, 1, 31, 33, 330, 5000]) {
    const levels = coarseFirst(count).map((parts) => parts.flatMap(framesOf));
    const all = levels.flat().sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: count }, (_, frame) => frame));
    expect(levels[0]?.length ?? 0).toBeLessThanOrEqual(32);
    const early = levels.slice(0, 3).flat();
    expect(early.length).toBeLessThanOrEqual(128);
  }
  const steps = coarseFirst(330).map(([part]) => part?.step);
  expect(steps).toEqual([16, 16, 8, 4, 2]);
});

test("the pictures of a video take few requests, of a size that the server answers", async () => {
  const asked = answerRequests();
  const small = new SmallFrames(5);
  await small.load(330);
  expect(asked[0]).toBe("/api/videos/5/thumbs?first=0&last=329&step=16");
  expect(asked.length).toBe(8);
  for (let frame = 0; frame < 330; frame++) expect(small.get(frame, 0)?.frame).toBe(frame);
});

test("of equally coarse pictures, those near the frame in view are requested first", async () => {
  const asked = answerRequests();
  const small = new SmallFrames(5);
  small.at = 4000;
  await small.load(5000);
  const finest = asked
    .filter((url) => url.endsWith("step=2"))
    .map((url) => Number(/first=(\d+)/.exec(url)?.[1]));
  expect(Math.abs((finest[0] as number) - 4000)).toBeLessThan(200);
  expect(finest.at(-1)).toBe(1);
});

test("the picture of a frame that is near stands in, and is named as what it is", async () => {
  answerRequests((frame) => ![0, 8].includes(frame));
  const small = new SmallFrames(5);
  await small.load(16);
  expect([small.done, small.load(16)]).toEqual([true, undefined]);
  expect(small.version.value).toBeGreaterThan(0);
  expect([0, 2, 3, 6, 10].map((frame) => small.get(frame)?.frame)).toEqual([0, 0, undefined, 8, 8]);
  small.close();
});

test("while pictures are few, one far away stands in if it is nearer than what is on screen", async () => {
  answerRequests((frame) => ![0, 16].includes(frame));
  const small = new SmallFrames(5);
  await small.load(330);
  expect([
    small.nearer(30, 0)?.frame,
    small.nearer(10, 16),
    small.nearer(16, 16),
    small.nearer(10, -1)?.frame,
  ]).toEqual([16, undefined, undefined, 16]);
});

test("a request that fails and a damaged picture leave the others as they are", async () => {
  answerRequests();
  vi.stubGlobal("fetch", async (url: string) => {
    if (url.includes("first=8")) throw new Error("away");
    return packedPictures(url);
  });
  vi.stubGlobal("createImageBitmap", async (picture: Blob) => {
    if ((await picture.text()) === "\x10") throw new Error("damaged");
    return { width: 1, height: 1, close: () => {} };
  });
  const small = new SmallFrames(5);
  await small.load(330);
  const here = [0, 8, 15, 16, 17, 32].filter((frame) => small.get(frame, 0));
  expect(here).toEqual([0, 15, 17, 32]);
});

test("pictures whose requests failed are loaded once the page connects again", async () => {
  answerRequests();
  let away = true;
  let asked = 0;
  vi.stubGlobal("fetch", async (url: string) => {
    asked++;
    if (away) throw new TypeError("away");
    return packedPictures(url);
  });
  const frames = new FrameCache(5);
  // biome-ignore lint/complexity/useLiteralKeys: the small pictures are private.
  const small = frames["small"];
  await small.load(330);
  const all = asked;
  expect([small.done, small.get(8)]).toEqual([true, undefined]);
  away = false;
  frames.retry();
  expect(small.done).toBe(false);
  await vi.waitFor(() => expect(small.done).toBe(true));
  expect([0, 8, 16, 329].map((frame) => small.get(frame, 0)?.frame)).toEqual([0, 8, 16, 329]);
  frames.retry();
  expect(asked, "nothing is loaded twice").toBe(2 * all);
  frames.close();
});

test("an answer names the frame of each picture", async () => {
  const pictures = picturesIn(await packedPictures("/x?first=2&last=300&step=149").arrayBuffer());
  expect([...pictures.keys()]).toEqual([2, 151, 300]);
  expect([...pictures.values()].map(({ size, type }) => [size, type])).toEqual(
    Array(3).fill([1, "image/jpeg"]),
  );
});
