import { act } from "preact/test-utils";
import { afterEach, expect, it, vi } from "vitest";
import { JOB } from "../api/samples";
import { FakeServer } from "../api/testing";
import { ANN, fakeStudio, round } from "../editor/testing";
import { click, get, hide, query, settled, show } from "../parts/testing";
import type { PinInfo } from "../protocol";
import { StudioContext } from "../studio/context";
import { SubmitDialog } from "./SubmitDialog";

afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

function pin(id: number, frame: number, resolved = false): PinInfo {
  return {
    id,
    job: null,
    frame,
    last: null,
    object: null,
    x: null,
    y: null,
    reason: "",
    text: "Look.",
    author: ANN,
    created_at: "2026-01-01T00:00:00Z",
    resolved_by: resolved ? ANN : null,
    resolved_at: resolved ? "2026-01-02T00:00:00Z" : null,
    replies: [],
  };
}

const everyFrame = Object.fromEntries(Array.from({ length: 10 }, (_, frame) => [frame, 1]));

async function open(pins: PinInfo[], notLookedAt: [number, number][]) {
  new FakeServer({ "GET /api/jobs/21/unfinished": { not_looked_at: notLookedAt } });
  const studio = fakeStudio({ rounds: [round({ id: 1 })], head: 1, accepted: everyFrame, pins });
  await show(
    <StudioContext.Provider value={studio}>
      <SubmitDialog job={{ ...JOB, first: 2, last: 9 }} onClose={() => {}} />
    </StudioContext.Provider>,
  );
  await act(settled);
  return studio;
}

it("open pins of the job and frames that were not looked at are named, and gone to", async () => {
  const pins = [pin(1, 8), pin(2, 5), pin(3, 6, true), pin(4, 0)];
  const studio = await open(pins, [
    [3, 4],
    [7, 7],
  ]);
  const texts = [...get("submit-unfinished").querySelectorAll("li")].map((row) => row.textContent);
  expect(texts).toEqual(["2 open pinsGo to 5", "3 frames not looked atGo to 3"]);
  await click("submit-go-pins");
  expect([studio.store.frame.value, studio.store.pin.value]).toEqual([5, 2]);
  await click("submit-go-looked");
  expect(studio.store.frame.value).toBe(3);
});

it("a job with nothing left is said to be finished", async () => {
  await open([], []);
  expect(query("submit-finished")).not.toBeNull();
});
