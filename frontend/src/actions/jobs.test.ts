import { afterEach, expect, it, vi } from "vitest";
import { JOB } from "../api/samples";
import { FakeServer } from "../api/testing";
import { fakeStudio } from "../editor/testing";
import { goToNextJob, moveJob } from "./jobs";

afterEach(() => vi.unstubAllGlobals());

it("two moves in a row do not name the same edition", async () => {
  const started = { ...JOB, stage: "validation", state: "in_progress", edition: 2 };
  const accepted = { ...JOB, stage: "acceptance", state: "completed", edition: 3 };
  const server = new FakeServer({
    "POST /api/jobs/21/moves": ({ body }: { body: { action: string } }) =>
      body.action === "start" ? started : accepted,
  });
  const studio = fakeStudio();
  studio.store.jobs.value = [JOB];
  await Promise.all([moveJob(studio, JOB, "start"), moveJob(studio, JOB, "accept")]);
  expect(server.asked.map(({ body }) => body)).toMatchObject([
    { action: "start", edition: 1 },
    { action: "accept", edition: 2 },
  ]);
  expect(studio.store.jobs.value[0]?.state).toBe("completed");
});

it("the next job is the one after this in the queue, and after the last one the first", async () => {
  const [second, review] = [
    { ...JOB, id: 22 },
    { ...JOB, id: 23 },
  ];
  new FakeServer({ "GET /api/me/work": { jobs: [JOB, second], reviews: [review], pools: [] } });
  const studio = fakeStudio();
  studio.store.jobs.value = [JOB, second, review];
  const visited: string[] = [];
  for (const id of [21, 22, 23]) {
    studio.store.wantedJob.value = id;
    await goToNextJob(studio);
    visited.push(location.search);
  }
  expect(visited).toEqual(["?job=22", "?job=23", "?job=21"]);
});

it("the reviewer's mode ends when the job is decided", async () => {
  new FakeServer({ "POST /api/jobs/21/moves": { ...JOB, state: "rejected" } });
  const studio = fakeStudio();
  studio.store.jobs.value = [JOB];
  studio.store.review.value = { place: null, before: [], seen: new Set() };
  await moveJob(studio, JOB, "start");
  expect(studio.store.review.value).not.toBeNull();
  await moveJob(studio, JOB, "reject", "Again.");
  expect(studio.store.review.value).toBeNull();
  expect(studio.store.wantedJob.value).toBe(21); // It stays in hand, so that the decision can be taken back.
});
