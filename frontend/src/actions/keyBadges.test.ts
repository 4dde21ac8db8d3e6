import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { showKeyBadges } from "./keyBadges";

let end: () => void;
beforeEach(() => {
  vi.useFakeTimers();
  end = showKeyBadges();
});
afterEach(() => {
  end();
  vi.useRealTimers();
});
const fire = (type: string, key: string) => dispatchEvent(new KeyboardEvent(type, { key }));
const shown = () => document.documentElement.dataset.keys;

it("keys are shown while Alt is held, and only then", () => {
  fire("keydown", "Alt");
  expect(shown()).toBe(undefined);
  vi.advanceTimersByTime(300);
  expect(shown()).toBe("shown");
  fire("keyup", "Alt");
  expect(shown()).toBe(undefined);
});

it("Alt with another key or with a drag shows nothing", () => {
  fire("keydown", "Alt");
  fire("keydown", "x");
  vi.advanceTimersByTime(300);
  expect(shown()).toBe(undefined);
  fire("keydown", "Alt");
  dispatchEvent(new Event("pointerdown"));
  vi.advanceTimersByTime(300);
  expect(shown()).toBe(undefined);
});
