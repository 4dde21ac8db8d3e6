import { describe, expect, test } from "vitest";
import { dueText, priorityText, rangeOf, standingOf } from "./words";

describe("the words of jobs", () => {
  test.each([
    ["2026-11-26", "3 days late", "bad"],
    ["2026-11-28", "1 day late", "bad"],
    ["2026-11-29", "due today", "warn"],
    ["2026-11-30", "due tomorrow", "warn"],
    ["2026-12-04", "due Fri, Dec 4", "plain"],
  ])("a due date of %s is %s", (due, text, tone) => {
    expect(dueText(due, "2026-11-29")).toEqual({ text, tone });
  });

  test("a range is the whole video or a part of it", () => {
    expect(rangeOf({ first: 0, last: 95, video_frames: 96 })).toBe("all 96 frames");
    expect(rangeOf({ first: 20, last: 1200, video_frames: 3000 })).toBe("frames 20 to 1,200");
  });

  test("stage and state are one word, and both are in the tooltip", () => {
    expect(standingOf({ stage: "validation", state: "new" })).toEqual({
      name: "To review",
      tone: "warn",
      full: "Stage validation, state new",
    });
  });

  test("the usual priority is not worth a word", () => {
    expect([priorityText(0), priorityText(2), priorityText(-1)]).toEqual([
      "",
      "priority 2",
      "low priority 1",
    ]);
  });
});
