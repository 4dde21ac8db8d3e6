import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PROJECT, VIDEO } from "../api/samples";
import { type Answer, FakeServer } from "../api/testing";
import type { MaskImport } from "../api/types";
import { click, fire, get, hide, query, settled, show } from "../parts/testing";
import { ImportMasks } from "./ImportMasks";
import { POLL } from "./imports";

const IMPORT: MaskImport = {
  id: 9,
  project: 3,
  video: null,
  name: "masks.zip",
  ground_truth: false,
  format: "",
  state: "queued",
  unknown_labels: [],
  progress_done: 0,
  progress_total: 0,
  error: "",
  note: "",
  result: [],
  author: "Ada",
  author_id: 1,
  created_at: "2026-01-01T00:00:00Z",
};
const MAKE = "POST /api/projects/3/mask-imports";
const RESULT = [{ video: 7, name: "dirt bike", round: 4, frames: 80, objects: 2 }];

beforeEach(() => {
  POLL.ms = 0;
});
afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

/** Opens the dialog, with a server whose import goes through these states, and gives it a file. */
async function give(...states: Partial<MaskImport>[]): Promise<{ server: FakeServer; done: () => number }> {
  return giveTo({}, ...states);
}

async function giveTo(answers: Record<string, Answer>, ...states: Partial<MaskImport>[]) {
  const left = [...states];
  const server = new FakeServer({
    "POST /api/projects/3/uploads": { id: "u1", received: 0, size: 3 },
    "PATCH /api/uploads/u1": { id: "u1", received: 3, size: 3 },
    [MAKE]: IMPORT,
    "GET /api/mask-imports/9": () => ({ ...IMPORT, ...(left.length > 1 ? left.shift() : left[0]) }),
    "POST /api/mask-imports/9/labels": IMPORT,
    "DELETE /api/mask-imports/9": null,
    ...answers,
  });
  const onDone = vi.fn();
  await show(<ImportMasks project={PROJECT} videos={[VIDEO]} onClose={() => {}} onDone={onDone} />);
  const field = get<HTMLInputElement>("import-file");
  Object.defineProperty(field, "files", { value: [new File(["zip"], "masks.zip")] });
  await fire("import-file", new Event("change", { bubbles: true }));
  return { server, done: () => onDone.mock.calls.length };
}

async function until(check: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !check(); tries += 1) await act(settled);
  expect(check()).toBe(true);
}

describe("the import of masks", () => {
  it("sends the file, follows the import and says what was brought in", async () => {
    const { server, done } = await give(
      { state: "running" },
      { state: "done", result: RESULT, note: "Note." },
    );
    await until(() => query("import-result") !== null);
    expect(server.body(MAKE)).toEqual({
      upload: "u1",
      video: null,
      ground_truth: false,
      labels: {},
      other_labels: "ask",
    });
    expect(get("import-result").textContent).toBe("dirt bike 80 frames, 2 objectsNote.");
    expect(done()).toBe(1);
  });

  it("asks once for labels that the project lacks", async () => {
    const { server } = await give({ state: "asking", unknown_labels: ["shark", "cod"] });
    await until(() => query("import-answer") !== null);
    const second = get<HTMLSelectElement>("import-label-1");
    second.value = "=Rider";
    await fire("import-label-1", new Event("change", { bubbles: true }));
    await click("import-answer");
    expect(server.body("POST /api/mask-imports/9/labels")).toEqual({
      labels: { shark: "shark", cod: "Rider" },
      other_labels: "drop",
    });
  });

  it("says why a file is refused, and another one can be chosen", async () => {
    const { done } = await give({ state: "failed", error: "It is not JSON." });
    await until(() => query("import-problem") !== null);
    expect(get("import-problem").textContent).toBe("It is not JSON.");
    expect(get("import-pick").textContent).toBe("Choose another file");
    expect(done()).toBe(0);
  });

  it("is cancelled on the server, too", async () => {
    const { server } = await give({ state: "running" });
    await until(() => query("import-state")?.textContent === "Reading the masks");
    await click("import-cancel");
    await until(() => server.lines.includes("DELETE /api/mask-imports/9"));
    expect(query("import-state")).toBeNull();
  });

  it("that asks for labels is cancelled when the dialog is closed", async () => {
    const { server } = await give({ state: "asking", unknown_labels: ["shark"] });
    await until(() => query("import-answer") !== null);
    await click("import-masks-close");
    await until(() => server.lines.includes("DELETE /api/mask-imports/9"));
  });

  it("is cancelled on the server even if the server was still starting it", async () => {
    let start = (_: MaskImport) => {};
    const started = new Promise<MaskImport>((resolve) => {
      start = resolve;
    });
    const { server } = await giveTo({ [MAKE]: () => started }, { state: "running" });
    await until(() => server.lines.includes(MAKE));
    await click("import-cancel");
    start(IMPORT);
    await until(() => server.lines.includes("DELETE /api/mask-imports/9"));
    expect(query("import-state")).toBeNull();
  });
});
