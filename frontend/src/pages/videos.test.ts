import { describe, expect, test } from "vitest";
import { VIDEO } from "../api/samples";
import type { Video } from "../api/types";
import { frameAt } from "./Thumbnail";
import { arrange, isBusy } from "./videos";

const list: Video[] = [
  { ...VIDEO, id: 1, name: "take 10", created_at: "2026-01-01", frame_count: 10, last_worked_at: null },
  {
    ...VIDEO,
    id: 2,
    name: "Take 9",
    created_at: "2026-01-03",
    frame_count: 30,
    last_worked_at: "2026-02-01",
  },
  { ...VIDEO, id: 3, name: "dive", created_at: "2026-01-02", frame_count: 20, last_worked_at: "2026-02-02" },
];
const ids = (videos: Video[]) => videos.map((video) => video.id);

describe("videos", () => {
  test("are put in each order", () => {
    expect(ids(arrange(list, "", "newest"))).toEqual([2, 3, 1]);
    expect(ids(arrange(list, "", "name"))).toEqual([3, 2, 1]);
    expect(ids(arrange(list, "", "worked"))).toEqual([3, 2, 1]);
    expect(ids(arrange(list, "", "longest"))).toEqual([2, 3, 1]);
  });

  test("are found by all words of a search", () => {
    expect(ids(arrange(list, "  TAKE 1 ", "name"))).toEqual([1]);
    expect(arrange(list, "nothing", "name")).toEqual([]);
  });

  test("are busy while one is imported or a round runs", () => {
    expect(isBusy(list)).toBe(false);
    expect(isBusy([{ ...VIDEO, state: "importing" }])).toBe(true);
    expect(isBusy([{ ...VIDEO, running: true }])).toBe(true);
  });

  test("leaf from the first frame to the last", () => {
    expect([frameAt(-0.1, 80), frameAt(0, 80), frameAt(0.999, 80), frameAt(1.2, 80)]).toEqual([0, 0, 79, 79]);
    expect(frameAt(0.7, 1)).toBe(0);
  });
});
