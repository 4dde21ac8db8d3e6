import { act } from "preact/test-utils";
import { afterEach, expect, it } from "vitest";
import { pasteMask } from "../actions/maskClipboard";
import { fakeStudio } from "../editor/testing";
import { toasts } from "../parts/Toast";
import { get, hide, show } from "../parts/testing";
import { keyBindings } from "../state/keyBindings";
import { StudioContext } from "../studio/context";
import { Hint } from "./Hint";
import { SpanBar } from "./SpanBar";

const SCRIBBLE = {
  key: "00000000-0000-4000-8000-000000000001",
  frame: 0,
  object: 1,
  kind: "path",
  positive: true,
  path: [[0.5, 0.5]],
  round: null,
  author: { id: 1, name: "Ann" },
} as const;

afterEach(() => {
  hide();
  keyBindings.value = {};
  toasts.value = [];
});

it("hints, buttons and messages name the keys that the person has chosen", async () => {
  const studio = fakeStudio({ scribbles: [SCRIBBLE] as never });
  keyBindings.value = { "round.run": ["%"], "span.absent": ["Shift+Y"], "mask.copy": [] };
  await show(
    <StudioContext.Provider value={studio}>
      <Hint />
      <SpanBar span={[0, 1]} />
    </StudioContext.Provider>,
  );
  expect(get("first-steps").querySelector("kbd")?.textContent).toBe("%");
  expect(get("span-absent").getAttribute("aria-keyshortcuts")).toBe("Shift+Y");
  pasteMask(studio, 1);
  expect(toasts.value.at(-1)?.text).toContain("“Copy its mask here” in the menu of an object copies");
  await act(() => {
    keyBindings.value = { "round.run": [] };
  });
  expect(get("first-steps").querySelector("kbd")).toBeNull();
});
