import { describe, expect, it } from "vitest";
import { fakeStudio } from "../editor/testing";
import type { Suggestion } from "../state/suggest";
import { SuggestionVisits } from "./suggestionVisits";

function visiting(suggestion: Suggestion | null) {
  const studio = fakeStudio();
  const store = { ...studio.store, suggestion: { value: suggestion, peek: () => suggestion } };
  return { store, visits: new SuggestionVisits({ ...studio, store } as never) };
}

const SUGGESTED: Suggestion = { frame: 6, span: [5, 7], lost: false, reason: "" };

describe("frames to fix", () => {
  it("are gone to and come back from, and count as shown with their neighbours", () => {
    const { store, visits } = visiting(SUGGESTED);
    store.frame.value = 2;
    expect(visits.canGoBack.value).toBe(false);
    visits.next();
    expect(store.frame.value).toBe(6);
    expect([...store.shown.value.keys()]).toEqual([5, 6, 7]);
    visits.back();
    expect(store.frame.value).toBe(2);
    expect(visits.canGoBack.value).toBe(false);
  });

  it("are skipped without leaving the frame", () => {
    const { store, visits } = visiting({ ...SUGGESTED, lost: true });
    visits.skip();
    expect(store.frame.value).toBe(0);
    expect(store.shown.value.get(6)).toBe(0);
  });

  it("if there are none, nothing happens", () => {
    const { store, visits } = visiting(null);
    visits.next();
    visits.skip();
    expect(store.frame.value).toBe(0);
    expect(store.shown.value.size).toBe(0);
  });
});
