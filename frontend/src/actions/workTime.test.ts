import { afterEach, describe, expect, it, vi } from "vitest";
import { fakeStudio } from "../editor/testing";
import { IDLE_AFTER, WorkTimer, watchWorkTime } from "./workTime";

afterEach(() => vi.useRealTimers());

describe("the time of work", () => {
  it("is the time between inputs, by object", () => {
    const timer = new WorkTimer();
    timer.active(0, 1);
    timer.active(4000, 1);
    timer.active(9000, 2);
    expect(timer.take()).toEqual([
      [1, 4],
      [2, 5],
    ]);
    expect(timer.take()).toEqual([]);
  });

  it("leaves out a pause of more than 30 seconds, unless the person watches the video play", () => {
    const timer = new WorkTimer();
    timer.active(0, 1);
    timer.active(IDLE_AFTER + 1, 1);
    expect(timer.take()).toEqual([]);
    timer.active(2 * IDLE_AFTER + 1, 1);
    timer.active(4 * IDLE_AFTER + 1, 1, true);
    expect(timer.take()).toEqual([[1, 90]]);
  });

  it("is kept until there is enough to send", () => {
    const timer = new WorkTimer();
    timer.active(0, 1);
    timer.active(5000, 1);
    expect(timer.take(20)).toEqual([]);
    timer.active(25_000, 1);
    expect(timer.take(20)).toEqual([[1, 25]]);
  });
});

describe("the studio", () => {
  it("sends the time of each object, and the rest when it is closed", () => {
    vi.useFakeTimers();
    const studio = fakeStudio();
    studio.store.selected.value = 1;
    const end = watchWorkTime(studio);
    const act = (ms: number) => {
      vi.advanceTimersByTime(ms);
      dispatchEvent(new Event("keydown"));
    };
    act(0);
    act(12_000);
    expect(studio.sent).toEqual([]);
    act(12_000);
    studio.store.selected.value = 2;
    act(3000);
    end();
    expect(studio.sent.map(({ type, ...rest }) => [type, { ...rest, key: "" }])).toEqual([
      ["time.spent", { key: "", object: 1, seconds: 24 }],
      ["time.spent", { key: "", object: 2, seconds: 3 }],
    ]);
    expect([...studio.store.seconds.value]).toEqual([
      [1, 24],
      [2, 3],
    ]);
  });

  it("measures nobody who may not change the video", () => {
    vi.useFakeTimers();
    const studio = fakeStudio();
    studio.store.role.value = "viewer";
    const end = watchWorkTime(studio);
    dispatchEvent(new Event("keydown"));
    vi.advanceTimersByTime(25_000);
    dispatchEvent(new Event("keydown"));
    end();
    expect(studio.sent).toEqual([]);
  });
});
