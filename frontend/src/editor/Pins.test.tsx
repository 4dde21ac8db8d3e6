import { act } from "preact/test-utils";
import { afterEach, expect, it, vi } from "vitest";
import { get, hide, press, query, show, type } from "../parts/testing";
import { StudioContext } from "../studio/context";
import { Pins } from "./Pins";
import { ANN, fakeStudio } from "./testing";

afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

it("Escape closes the open pin, wherever the focus is, but leaves a dialog first", async () => {
  const pin = {
    id: 4,
    job: null,
    frame: 0,
    last: null,
    object: null,
    x: null,
    y: null,
    reason: "",
    text: "Look.",
    author: ANN,
    created_at: "2026-01-01T00:00:00Z",
    resolved_by: null,
    resolved_at: null,
    replies: [],
  };
  const studio = fakeStudio({ pins: [pin] });
  studio.store.pin.value = 4;
  await show(
    <StudioContext.Provider value={studio}>
      <Pins />
    </StudioContext.Provider>,
  );
  const dialog = document.body.appendChild(document.createElement("dialog"));
  await press("Escape", dialog);
  dialog.remove();
  expect(query("pin-card")).not.toBeNull();
  await press("Escape", document.body);
  expect(query("pin-card")).toBeNull();
});

it("Escape leaves a comment that has text before it closes the pin, and nothing while an input method composes", async () => {
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json({ pin_reasons: [] })));
  const studio = fakeStudio();
  studio.store.pin.value = { frame: 0, x: 0.5, y: 0.5 };
  await show(
    <StudioContext.Provider value={studio}>
      <Pins />
    </StudioContext.Provider>,
  );
  const field = get<HTMLTextAreaElement>("pin-text");
  expect(document.activeElement).toBe(field);
  const composing = { key: "Escape", bubbles: true, isComposing: true };
  await act(() => void field.dispatchEvent(new KeyboardEvent("keydown", composing)));
  expect(document.activeElement).toBe(field);
  await type("pin-text", "The edge is off.");
  await press("Escape");
  expect(document.activeElement).not.toBe(field);
  expect(get<HTMLTextAreaElement>("pin-text").value).toBe("The edge is off.");
  await press("Escape");
  expect(query("pin-card")).toBeNull();
});

it("Escape closes a pin from an empty comment at once", async () => {
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json({ pin_reasons: [] })));
  const studio = fakeStudio();
  studio.store.pin.value = { frame: 0, x: 0.5, y: 0.5 };
  await show(
    <StudioContext.Provider value={studio}>
      <Pins />
    </StudioContext.Provider>,
  );
  await press("Escape", get("pin-text"));
  expect(query("pin-card")).toBeNull();
});
