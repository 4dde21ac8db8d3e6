import { beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_VIEW, recall, remember } from "./view";

const kept = {
  frame: 12,
  zoom: 2.5,
  centerX: 10,
  centerY: 20,
  selected: 2,
  engine: "flow",
  settings: DEFAULT_VIEW,
};

describe("the view", () => {
  beforeEach(() => localStorage.clear());

  it("is brought back for its own video", () => {
    remember(3, kept);
    expect(recall(3)).toEqual(kept);
    expect(recall(4)).toBe(null);
  });

  it("is completed where a newer page knows more settings", () => {
    localStorage.setItem("maskwright.view.3", JSON.stringify({ frame: 1, settings: { opacity: 10 } }));
    expect(recall(3)?.settings).toEqual({ ...DEFAULT_VIEW, opacity: 10 });
  });

  it("starts afresh where something else is kept", () => {
    localStorage.setItem("maskwright.view.3", "{not json");
    expect(recall(3)).toBe(null);
  });
});
