import { afterEach, expect, it, vi } from "vitest";
import { fakeStudio, round } from "../editor/testing";
import { announce, roundWords } from "./Announcer";

afterEach(() => vi.useRealTimers());

it("says what has changed, once it rests", () => {
  vi.useFakeTimers();
  const studio = fakeStudio();
  const said: string[] = [];
  const end = announce(studio, (words) => said.push(words));
  vi.advanceTimersByTime(1000);
  expect(said).toEqual([]);
  for (studio.store.frame.value = 1; studio.store.frame.value < 6; studio.store.frame.value++);
  vi.advanceTimersByTime(1000);
  studio.store.selected.value = 2;
  studio.store.tool.value = "brush";
  vi.advanceTimersByTime(1000);
  studio.store.selected.value = 0;
  vi.advanceTimersByTime(1000);
  end();
  expect(said).toEqual(["Frame 6", "Paint the mask. bike", "Background"]);
});

it("says each quarter of a round, and how it ended", () => {
  const running = round({ id: 3, state: "running", done: 29, total: 50 });
  expect(roundWords(running, running)).toBe("Round 3, 50 percent");
  expect(roundWords(round({ id: 3 }), null)).toBe("Round 3 is done");
  expect(roundWords(round({ id: 3, state: "failed", error: "Memory ran out." }), null)).toBe(
    "Round 3 failed. Memory ran out.",
  );
  expect(roundWords(null, null)).toBe("");
});
