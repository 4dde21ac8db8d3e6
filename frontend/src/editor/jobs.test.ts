import { afterEach, expect, it, vi } from "vitest";
import { moveJob } from "../actions/jobs";
import { JOB } from "../api/samples";
import { FakeServer } from "../api/testing";
import { toasts } from "../parts/Toast";
import { watchJobs } from "./jobs";
import { type FakeStudio, fakeStudio } from "./testing";

const SECOND = { ...JOB, id: 22, first: 3, last: 5, position: 1 };
const THIRD = { ...JOB, id: 23, first: 6, last: 9, position: 2 };
let end = () => {};

function watched(): FakeStudio {
  new FakeServer({ "GET /api/jobs?video=5&limit=500": { jobs: [SECOND, THIRD], total: 2 } });
  const studio = fakeStudio();
  end = watchJobs(studio);
  return studio;
}

afterEach(() => {
  end();
  vi.unstubAllGlobals();
  location.hash = "";
});

it("the frame that the address names is left alone when the first job is there, but not by a later job", () => {
  location.hash = "#frame=1";
  const studio = watched();
  studio.store.frame.value = 1;
  studio.store.jobs.value = [SECOND, THIRD];
  expect([studio.store.job.value?.id, studio.store.frame.value]).toEqual([22, 1]);
  studio.store.wantedJob.value = 23;
  expect(studio.store.frame.value).toBe(6);
});

it("without a frame in the address the first job is gone into", () => {
  const studio = watched();
  studio.store.jobs.value = [SECOND, THIRD];
  expect(studio.store.frame.value).toBe(3);
});

it("a review ends when another job is taken in hand, and goes on when its job is only read again", () => {
  const studio = watched();
  studio.store.jobs.value = [SECOND, THIRD];
  studio.store.review.value = { place: null, before: [], seen: new Set([3]) };
  studio.store.jobs.value = [{ ...SECOND, edition: 2 }, THIRD];
  expect(studio.store.review.value).not.toBeNull();
  studio.store.wantedJob.value = 23;
  expect(studio.store.review.value).toBeNull();
});

it.each([
  ["another job is taken in hand", (studio: FakeStudio) => (studio.store.wantedJob.value = 23)],
  ["the studio is closed", () => end()],
])("the message about a move, with its Undo, goes when %s", async (_, leave) => {
  const submitted = { ...SECOND, stage: "validation", edition: 2, moves: ["reopen"] };
  new FakeServer({
    "GET /api/jobs?video=5&limit=500": { jobs: [SECOND, THIRD], total: 2 },
    "POST /api/jobs/22/moves": submitted,
  });
  const studio = fakeStudio();
  end = watchJobs(studio);
  studio.store.jobs.value = [SECOND, THIRD];
  await moveJob(studio, SECOND, "submit");
  studio.store.jobs.value = [...studio.store.jobs.value]; // The job is read again, and stays in hand.
  expect(toasts.value.map(({ text, action }) => [text, action?.name])).toEqual([
    ["The job is submitted for review.", "Undo"],
  ]);
  leave(studio);
  expect(toasts.value).toEqual([]);
});
