import { afterEach, beforeEach, expect, it } from "vitest";
import { fakeStudio } from "../editor/testing";
import { get, hide, show } from "../parts/testing";
import { StudioContext } from "../studio/context";
import { ToolOptions } from "./ToolOptions";

const studio = fakeStudio();

beforeEach(() => {
  studio.store.tool.value = "brush";
  show(
    <StudioContext.Provider value={studio}>
      <ToolOptions />
    </StudioContext.Provider>,
  );
});
afterEach(hide);

it("the size of the brush gives the keys back to the picture when Enter is pressed", () => {
  const field = get("paint-size");
  field.focus();
  expect(document.activeElement).toBe(field);
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "7", bubbles: true }));
  expect(document.activeElement).toBe(field);
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  expect(document.activeElement).not.toBe(field);
});
