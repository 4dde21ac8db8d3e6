import { expect, it } from "vitest";
import { fakeStudio } from "../../editor/testing";
import { scrolledTo, showOlder } from "./OlderRounds";

function ready(loading: "idle" | "busy" | "failed") {
  const studio = fakeStudio();
  const { store } = studio;
  store.older.value = { before: 8, count: 7 };
  store.pages.value = 1; // The page has been asked for before.
  store.loading.value = loading;
  return studio;
}

it("tries again after a failure when a person asks for older rounds", () => {
  const studio = ready("failed");
  showOlder(studio);
  expect(studio.store.loading.value).toBe("idle");
  expect(studio.store.pages.value).toBe(1);
});

it("asks for nothing more while a page is being loaded", () => {
  const studio = ready("busy");
  showOlder(studio);
  expect(studio.store.loading.value).toBe("busy");
});

it("does not try again after a failure because of scrolling", () => {
  const end = { scrollTop: 900, clientHeight: 100, scrollHeight: 1000 } as HTMLElement;
  const studio = ready("failed");
  scrolledTo(studio, end);
  expect(studio.store.loading.value).toBe("failed");
  const idle = ready("idle");
  idle.store.pages.value = 0;
  scrolledTo(idle, end);
  expect(idle.store.pages.value).toBe(1);
});
