import { afterEach, describe, expect, it, vi } from "vitest";
import { FrameCache, wantedAround } from "./frames";
import { packedPictures } from "./testing";

describe("which pictures are loaded", () => {
  it("are the one in view, then those ahead, with some from behind", () => {
    expect(wantedAround(10, 1, 100, 6)).toEqual([10, 11, 12, 13, 9, 14, 15, 16, 8]);
    expect(wantedAround(10, -1, 100, 3)).toEqual([10, 9, 8, 7, 11]);
  });

  it("are never outside of the video", () => {
    expect(wantedAround(0, 1, 3, 9)).toEqual([0, 1, 2]);
  });
});

describe("the frames of a large video", () => {
  const asked: string[] = [];
  const cache = new FrameCache(5);
  const video = { width: 1920, height: 1080, frame_count: 100 };

  /** Lets all requests that are under way arrive. */
  async function arrive(): Promise<void> {
    for (let i = 0; i < 400; i++) await Promise.resolve();
  }

  afterEach(() => {
    cache.close();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("are loaded where a scrub rests; small pictures stand in for those that it passes", async () => {
    vi.useFakeTimers();
    vi.stubGlobal("createImageBitmap", async () => ({ width: 2, height: 1, close: () => {} }));
    vi.stubGlobal("fetch", async (url: string) => {
      asked.push(url.replace("/api/videos/5/", ""));
      return url.includes("thumbs") ? packedPictures(url) : new Response("x");
    });
    cache.preload(7);
    expect(asked).toEqual(["frames/7.jpg"]);
    cache.open(video);
    cache.follow(7, 100, false);
    await vi.waitFor(() => expect(cache.standIn(99, 0)?.frame).toBe(99));
    await arrive();
    expect(asked.filter((url) => url.startsWith("thumbs")).length).toBeLessThan(10);
    asked.length = 0;
    for (const frame of [60, 70, 90]) cache.follow(frame, 100, false);
    const frames = () => asked.filter((url) => url.startsWith("frames"));
    await arrive();
    expect(frames()).toEqual([]);
    expect(cache.standIn(70, 0)?.frame).toBe(70);
    vi.advanceTimersByTime(100);
    await arrive();
    expect(frames()[0]).toBe("frames/90.jpg");
    expect(frames()).not.toContain("frames/70.jpg");
  });
});
