import { act } from "preact/test-utils";
import { afterEach, expect, it, vi } from "vitest";
import { FakeServer, UNREACHABLE } from "../api/testing";
import { fakeStudio } from "../editor/testing";
import { get, hide, query, show } from "../parts/testing";
import { StudioContext } from "../studio/context";
import { FrameSource, sourceOf } from "./FrameSource";

afterEach(() => {
  hide();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("shows the name of the frame in view once the studio has opened", async () => {
  vi.useFakeTimers();
  const studio = fakeStudio();
  const video = studio.store.video.value?.id;
  const names = ["IMG_5.jpg", "IMG_9.jpg"];
  new FakeServer({ [`GET /api/videos/${video}/source-frames`]: { names, times: [null, null] } });
  await show(
    <StudioContext.Provider value={studio}>
      <FrameSource />
    </StudioContext.Provider>,
  );
  expect(query("hud-source")).toBeNull();
  await act(async () => {
    await vi.advanceTimersByTimeAsync(2000);
  });
  expect(get("hud-source").textContent).toBe("IMG_5.jpg");
  await act(async () => {
    studio.store.frame.value = 1;
  });
  expect(get("hud-source").textContent).toBe("IMG_9.jpg");
});

it("is loaded when the studio is connected again, if it could not be had before", async () => {
  vi.useFakeTimers();
  const studio = fakeStudio();
  const line = `GET /api/videos/${studio.store.video.value?.id}/source-frames`;
  const server = new FakeServer({ [line]: UNREACHABLE });
  await show(
    <StudioContext.Provider value={studio}>
      <FrameSource />
    </StudioContext.Provider>,
  );
  const turn = async (connection: "lost" | "live") => {
    await act(async () => {
      studio.store.connection.value = connection;
    });
    await act(async () => {
      await vi.advanceTimersByTimeAsync(2000);
    });
  };
  await turn("lost");
  expect(query("hud-source")).toBeNull();
  server.answers[line] = { names: ["IMG_5.jpg"], times: [null] };
  await turn("live");
  expect(get("hud-source").textContent).toBe("IMG_5.jpg");
  const asked = server.lines.length;
  await turn("lost");
  expect(server.lines).toHaveLength(asked);
});

it("shows time stamps where the source has no names, and nothing where it has neither", () => {
  const source = { names: ["", "", ""], times: [1.25, 3661, null] };
  expect([0, 1, 2, 3].map((frame) => sourceOf(source, frame))).toEqual(["0:01.250", "61:01.000", "", ""]);
});
