import { act } from "preact/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import { PROJECT } from "../api/samples";
import { FakeServer, Refusal } from "../api/testing";
import { click, get, hide, settled, show } from "../parts/testing";
import { ExportProject } from "./ExportProject";

const FORMATS = [
  { name: "overlay", title: "Overlay", note: "An mp4.", suffix: "mp4", of_project: false, takes: [] },
  { name: "davis", title: "DAVIS", note: "A zip.", suffix: "zip", of_project: true, takes: [] },
];
const LINE = "POST /api/projects/3/exports";

afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

async function open(answer: unknown): Promise<{ server: FakeServer; made: () => number }> {
  const server = new FakeServer({ [LINE]: answer });
  const onMade = vi.fn();
  await show(<ExportProject project={PROJECT} formats={FORMATS} onMade={onMade} />);
  await act(settled);
  return { server, made: () => onMade.mock.calls.length };
}

describe("the export of a project", () => {
  it("offers the formats that hold several videos, and asks for the one that is chosen", async () => {
    const { server, made } = await open({ id: 5 });
    const options = get<HTMLSelectElement>("export-project-format").options;
    expect([...options].map(({ text }) => text)).toEqual(["DAVIS"]);
    await click("export-project-make");
    expect(server.body(LINE)).toEqual({ format: "davis", options: {} });
    await click("export-accepted");
    await click("export-project-make");
    expect(server.body(LINE)).toEqual({ format: "davis", options: { accepted_only: true } });
    const split = get<HTMLSelectElement>("export-project-split");
    await act(() => {
      split.value = "20";
      split.dispatchEvent(new Event("change", { bubbles: true }));
    });
    await click("export-project-make");
    expect(server.body(LINE)).toEqual({ format: "davis", options: { accepted_only: true, val_percent: 20 } });
    expect(made()).toBe(3);
  });

  it("says why the server refuses", async () => {
    const { made } = await open(new Refusal(409, { code: "no_masks", text: "There are no masks yet." }));
    await click("export-project-make");
    expect(get("export-project-problem").textContent).toBe("There are no masks yet.");
    expect(made()).toBe(0);
  });
});
