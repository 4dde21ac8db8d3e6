import { act } from "preact/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import { FakeServer, Refusal } from "../api/testing";
import type { Export, Job } from "../api/types";
import { fakeStudio } from "../editor/testing";
import { click, get, hide, query, settled, show } from "../parts/testing";
import { StudioContext } from "../studio/context";
import { ExportDialog } from "./ExportDialog";

const FORMATS = [
  { name: "davis", title: "DAVIS", note: "A zip.", suffix: ".zip" },
  { name: "rle", title: "Run lengths", note: "A JSON file.", suffix: ".json" },
];
const MADE = {
  id: 5,
  format: "rle",
  state: "queued",
  author: "Ann",
  created_at: "2026-01-01T00:00:00Z",
} as Export;

afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

async function open(answers: Record<string, unknown> = {}, studio = fakeStudio()): Promise<FakeServer> {
  const server = new FakeServer({
    "GET /api/export-formats": FORMATS,
    "GET /api/videos/5/exports": [],
    "POST /api/videos/5/exports": MADE,
    ...answers,
  });
  await show(
    <StudioContext.Provider value={studio}>
      <ExportDialog video={5} round={null} empty={false} onClose={() => {}} />
    </StudioContext.Provider>,
  );
  await act(settled);
  return server;
}

describe("the export dialog", () => {
  it("offers the formats that the server has, the first one chosen", async () => {
    await open();
    expect(get<HTMLInputElement>("export-kind-davis").checked).toBe(true);
    expect(get("export-kind-rle").closest("label")?.textContent).toBe("Run lengthsA JSON file.");
  });

  it("asks for the format that was picked, and lists the export under its title", async () => {
    const server = await open();
    await click("export-kind-rle");
    await click("export-make");
    expect(server.body("POST /api/videos/5/exports")).toEqual({ format: "rle", options: {} });
    expect(get("export-5").textContent).toContain("Run lengths");
  });

  it("exports the frames of the job in hand, or all if the person wants them", async () => {
    const studio = fakeStudio();
    studio.store.jobs.value = [{ id: 9, first: 2, last: 4, video_frames: 8 } as Job];
    studio.store.wantedJob.value = 9;
    const server = await open({ "POST /api/jobs/9/exports": MADE }, studio);
    expect(get("export-of-job").closest("label")?.textContent).toBe("Only frames 2 to 4, those of the job");
    await click("export-make");
    expect(server.body("POST /api/jobs/9/exports")).toEqual({ format: "davis", options: {} });
    await click("export-of-job");
    await click("export-make");
    expect(server.body("POST /api/videos/5/exports")).toEqual({ format: "davis", options: {} });
  });

  it("says why there is nothing to choose from, and asks for nothing", async () => {
    await open({
      "GET /api/export-formats": new Refusal(500, { code: "failed", text: "The server is ill." }),
    });
    expect(get("export-problem").textContent).toBe("The server is ill.");
    expect(get<HTMLButtonElement>("export-make").disabled).toBe(true);
    expect(query("export-kind-davis")).toBeNull();
  });
});
