import { render } from "preact";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { PROJECT } from "../api/samples";
import { FakeServer } from "../api/testing";
import { fakeStudio } from "../editor/testing";
import { hide, query, show } from "../parts/testing";
import { StudioContext } from "../studio/context";
import { Objects } from "./Objects";

beforeEach(() => {
  new FakeServer({ "GET /api/projects/3": PROJECT }); // the head of the list asks for the project's guide
});
afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

const object = (number: number) => ({
  number,
  name: `Object ${number}`,
  color: "#ff0000",
  label: null,
  deleted: false,
  locked: false,
  position: 1,
});

it("the field for a name has the focus before the next key comes", async () => {
  const root = document.body.appendChild(document.createElement("div"));
  render(
    <StudioContext.Provider value={fakeStudio()}>
      <Objects />
    </StudioContext.Provider>,
    root,
  );
  query("object-1-choose")?.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
  await Promise.resolve(); // drawn, but not painted
  expect(query("object-1-name")).not.toBeNull();
  expect(document.activeElement).toBe(query("object-1-name"));
  render(null, root);
  root.remove();
});

it("rows without a key have as many cells as those with one", async () => {
  const objects = Array.from({ length: 11 }, (_, index) => object(index + 1));
  await show(
    <StudioContext.Provider value={fakeStudio({ objects })}>
      <Objects />
    </StudioContext.Provider>,
  );
  const cells = [1, 9, 10, 11].map((number) => query(`object-${number}`)?.children.length);
  expect(new Set(cells).size).toBe(1);
});
