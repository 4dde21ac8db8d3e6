import { afterEach, expect, it } from "vitest";
import { hide, press, query, show } from "../parts/testing";
import { StudioContext } from "../studio/context";
import { Pins } from "./Pins";
import { ANN, fakeStudio } from "./testing";

afterEach(hide);

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
