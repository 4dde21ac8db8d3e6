import { act } from "preact/test-utils";
import { afterEach, describe, expect, test, vi } from "vitest";
import { formatTitle, mayRemove, useVideoExports } from "../api/exports";
import { FakeServer, Refusal } from "../api/testing";
import type { Export } from "../api/types";
import { toasts } from "../parts/Toast";
import { click, get, hide, query, settled, show } from "../parts/testing";
import { describe as describeExport, ExportList } from "./ExportList";

const DONE: Export = {
  id: 5,
  video: 7,
  video_name: "dirt bike",
  format: "davis",
  state: "done",
  round: 3,
  progress_done: 80,
  progress_total: 80,
  error: "",
  size_bytes: 13_000_000,
  author: "Ada",
  author_id: 1,
  created_at: new Date().toISOString(),
};
const RUNNING: Export = { ...DONE, id: 6, state: "running", progress_done: 20 };

function List() {
  const loaded = useVideoExports(7);
  return (
    loaded.value && (
      <ExportList exports={loaded.value} formats={null} removable={() => true} onChanged={loaded.reload} />
    )
  );
}

async function pass(ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 50)
    await act(async () => {
      await vi.advanceTimersByTimeAsync(50);
    });
}

afterEach(() => {
  hide();
  toasts.value = [];
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("exports", () => {
  test("say in words how they stand", () => {
    expect(describeExport(DONE)).toBe("13.0 MB · round 3 · Ada · just now");
    expect(describeExport(RUNNING)).toBe("Frame 20 of 80 · round 3 · Ada · just now");
    expect(describeExport({ ...DONE, state: "queued", round: null })).toBe(
      "Waiting for its turn · Ada · just now",
    );
    expect(describeExport({ ...DONE, state: "failed", error: "The disk is full." })).toBe(
      "The disk is full.",
    );
  });

  test("are followed until they are done, then downloaded", async () => {
    vi.useFakeTimers();
    const server = new FakeServer({ "GET /api/videos/7/exports": [RUNNING] });
    await show(<List />);
    await pass(100);
    expect(get("export-progress-6").getAttribute("aria-valuenow")).toBe("25");
    expect(query("export-download-6")).toBeNull();
    server.answers["GET /api/videos/7/exports"] = [{ ...RUNNING, state: "done" }];
    await pass(700);
    expect(get<HTMLAnchorElement>("export-download-6").getAttribute("href")).toBe("/api/exports/6/file");
    const asked = server.lines.length;
    await pass(3000);
    expect(server.lines).toHaveLength(asked);
  });

  test("are named by the title of their format, or by its name where the server has no such format", () => {
    const formats = [
      { name: "davis", title: "DAVIS", note: "", suffix: ".zip", of_project: true, takes: [] },
    ];
    expect(formatTitle("davis", formats)).toBe("DAVIS");
    expect(formatTitle("gone", formats)).toBe("gone");
    expect(formatTitle("davis", null)).toBe("davis");
  });

  test("are cancelled; a refusal is said", async () => {
    const server = new FakeServer({ "GET /api/videos/7/exports": [RUNNING], "DELETE /api/exports/6": null });
    await show(<List />);
    await act(settled);
    await click("export-cancel-6");
    expect(server.lines).toContain("DELETE /api/exports/6");
    server.answers["DELETE /api/exports/6"] = new Refusal(403, {
      code: "forbidden",
      text: "It is somebody else's.",
    });
    await click("export-cancel-6");
    expect(toasts.value.at(-1)?.text).toBe("It is somebody else's.");
  });

  test("are removed by who made them and by managers", () => {
    expect(mayRemove(DONE, 1, "annotator")).toBe(true);
    expect(mayRemove(DONE, 2, "reviewer")).toBe(false);
    expect(mayRemove(DONE, 2, "manager")).toBe(true);
    expect(mayRemove(DONE, 1, "viewer")).toBe(false);
  });
});
