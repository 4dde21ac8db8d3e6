import { afterEach, expect, it, vi } from "vitest";
import { FakeServer } from "../api/testing";
import { actOn } from "./EditVideos";

afterEach(() => vi.unstubAllGlobals());

it("more videos than one call takes are sent in pieces", async () => {
  const server = new FakeServer({ "POST /api/projects/3/videos/actions": null });
  const videos = Array.from({ length: 2500 }, (_, index) => ({ id: index + 1 }));
  await actOn(3, videos, { action: "delete" });
  const sent = server.asked.map(({ body }) => (body as { ids: number[] }).ids);
  expect(sent.map((ids) => ids.length)).toEqual([1000, 1000, 500]);
  expect(sent.flat()).toEqual(videos.map(({ id }) => id));
});
