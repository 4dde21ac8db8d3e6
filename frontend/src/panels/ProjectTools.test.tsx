// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import { fakeStudio } from "../editor/testing";
import { StudioContext } from "../studio/context";
import { ProjectTools } from "./ProjectTools";

const PROJECT = {
  id: 1,
  name: "Pond",
  guide: "Cut out\nthe fins too.",
  labels: [{ id: 7, name: "Koi", color: "#ff7849" }],
};

let root: HTMLElement | undefined;
const query = (id: string) => document.querySelector<HTMLElement>(`[data-testid="${id}"]`);

async function show(project: object) {
  const answer = () =>
    new Response(JSON.stringify(project), { headers: { "content-type": "application/json" } });
  vi.stubGlobal("fetch", async () => answer());
  const studio = fakeStudio();
  root = document.body.appendChild(document.createElement("div"));
  const at = root;
  await act(async () => {
    render(
      <StudioContext.Provider value={studio}>
        <ProjectTools />
      </StudioContext.Provider>,
      at,
    );
  });
  await act(async () => new Promise((done) => setTimeout(done, 20)));
  return studio;
}

afterEach(() => {
  if (root) render(null, root);
  root?.remove();
  vi.unstubAllGlobals();
});

test("an object is made of a label", async () => {
  const studio = await show(PROJECT);
  await act(() => query("object-of-label")?.click());
  await act(() => query("object-of-label-7")?.click());
  expect(studio.sent).toMatchObject([{ type: "object.add", label: 7 }]);
});

test("the guide is read where one draws", async () => {
  await show(PROJECT);
  await act(() => query("guide-open")?.click());
  expect(query("guide-dialog")?.textContent).toContain("the fins too.");
});

test("a project without labels and guide adds nothing", async () => {
  await show({ ...PROJECT, guide: " ", labels: [] });
  expect(query("guide-open")).toBeNull();
  expect(query("object-of-label")).toBeNull();
});
