import { signal } from "@preact/signals";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { get, hide, press, query, show } from "../../parts/testing";
import type { RoundInfo, VideoInfo } from "../../protocol";
import type { FrameSummary } from "../../state/frameSummary";
import { createStore, type Store } from "../../state/store";
import { StudioContext } from "../../studio/context";
import type { Studio } from "../../studio/studio";
import { layoutOf } from "./layout";
import { modelOf } from "./model";
import { Track } from "./Track";

const video: VideoInfo = {
  id: 4,
  project: 1,
  project_name: "P",
  name: "v",
  width: 640,
  height: 360,
  frame_count: 40,
  fps: 24,
  pixel_aspect: 1,
  engine: "flow",
  note: "",
  truth_frames: [3, 4],
};

function round(id: number, state: RoundInfo["state"], frames: [number, number][]): RoundInfo {
  return {
    id,
    number: id,
    author: { id: 1, name: "A" },
    origin: "round",
    frame: 7,
    drawn: [7],
    scribbles: [{ object_id: 1, path: [[0.5, 0.5]], frame: 7, kind: "scribble", positive: true }],
    span: null,
    direction: "both",
    objects: null,
    edit: null,
    source: "",
    engine: "flow",
    weights: "",
    base: id === 1 ? null : id - 1,
    state,
    cancel_requested: false,
    done: 0,
    total: 40,
    seconds: null,
    error: "",
    created_at: "2026-01-01T00:00:00Z",
    frames,
  };
}

/** Frame 20 is to fix, object 2 is there from 10 on. */
function makeStore(): Store {
  const store = createStore(4);
  store.video.value = video;
  store.objects.value = [1, 2].map((number) => ({
    number,
    name: `o${number}`,
    color: "#ff0000",
    label: null,
    deleted: false,
    locked: false,
    position: number,
  }));
  store.rounds.value = new Map([[1, round(1, "done", [[0, 39]])]]);
  store.head.value = 1;
  const summaries = Array.from(
    { length: 40 },
    (_, frame): FrameSummary => ({
      round: 1,
      loaded: true,
      confidence: frame === 20 ? 0.3 : 0.95,
      weakest: 1,
      ids: frame < 10 ? [1] : [1, 2],
      areas: null,
    }),
  );
  return { ...store, summaries: signal(summaries) };
}

let store: Store;
beforeEach(async () => {
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe() {}
      disconnect() {}
    },
  );
  store = makeStore();
  await show(
    <StudioContext.Provider value={{ store } as Studio}>
      <Track layout={layoutOf(164)} offset={signal(0)} />
    </StudioContext.Provider>,
  );
});
afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

describe("the timeline as a slider", () => {
  test("says where one is and what is to know of the frame", async () => {
    await act(() => {
      store.frame.value = 20;
    });
    const track = get("timeline");
    expect(track.getAttribute("role")).toBe("slider");
    expect(track.getAttribute("aria-valuemax")).toBe("39");
    expect(track.getAttribute("aria-valuenow")).toBe("20");
    expect(track.getAttribute("aria-valuetext")).toBe("Frame 20 of 39, to fix, 30\u00a0%");
  });

  test("moves by keys and stops at the ends", async () => {
    const track = get("timeline");
    for (const [key, frame] of [
      ["ArrowRight", 1],
      ["PageUp", 11],
      ["ArrowLeft", 10],
      ["End", 39],
      ["ArrowRight", 39],
      ["Home", 0],
      ["PageDown", 0],
    ] as const) {
      await press(key, track);
      expect([key, store.frame.value]).toEqual([key, frame]);
    }
  });

  test("shows the picture of the frame that is pointed at", async () => {
    await act(() => {
      get("timeline").dispatchEvent(new PointerEvent("pointermove", { clientX: 0, pointerType: "mouse" }));
    });
    expect(get("timeline-preview").querySelector("img")?.getAttribute("src")).toBe(
      "/api/videos/4/thumbs/0.jpg",
    );
    await act(() => {
      get("timeline").dispatchEvent(new PointerEvent("pointerleave", { clientX: 0, pointerType: "mouse" }));
    });
    expect(query("timeline-preview")).toBeNull();
  });
});

describe("what the timeline draws", () => {
  test("follows summaries, rounds, accepted frames and truth", () => {
    const model = modelOf(store);
    expect([...model.fix].flatMap((fix, frame) => (fix ? [frame] : []))).toEqual([20]);
    expect(model.lanes.map((lane) => lane.ranges)).toEqual([[[0, 39]], [[10, 39]]]);
    expect(model.lanes.map((lane) => lane.drawn)).toEqual([[7], []]);
    expect(model.lanes[0]?.name).toBe("o1");
    expect(model.truth).toEqual([[3, 4]]);
    expect(model.running).toBe(false);
    expect(model.reached).toEqual([[0, 39]]);
  });

  test("shows what the running round has reached, not what was there before", () => {
    store.rounds.value = new Map(store.rounds.value).set(2, round(2, "running", [[15, 22]]));
    const model = modelOf(store);
    expect(model.running).toBe(true);
    expect(model.reached).toEqual([[15, 22]]);
  });

  test("an accepted frame is not to fix any more", () => {
    store.accepted.value = new Map([[20, 1]]);
    const model = modelOf(store);
    expect(model.fix[20]).toBe(0);
    expect(model.accepted).toEqual([[20, 20]]);
  });
});
