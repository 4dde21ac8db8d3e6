import { act } from "preact/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import { JOB, ME } from "../api/samples";
import { FakeServer, UNREACHABLE } from "../api/testing";
import { click, get, hide, press, query, settled, show } from "../parts/testing";
import { route } from "../route";
import { WorkPage } from "./WorkPage";

const REVIEW = { ...JOB, id: 30, stage: "validation", video_name: "dive" };

const ENDS = { next_jobs: null, next_reviews: null, next_pools: null };

async function open(work: unknown): Promise<FakeServer> {
  const server = new FakeServer({ "GET /api/me": ME, "GET /api/me/work": work });
  await show(<WorkPage />);
  await act(settled);
  return server;
}

/** Returns, for each time the end of a list is watched, what says that it has come near. */
function watchedEnds(): (() => void)[] {
  const seen: (() => void)[] = [];
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      constructor(tell: (entries: { isIntersecting: boolean }[]) => void) {
        seen.push(() => tell([{ isIntersecting: true }]));
      }
      observe() {}
      disconnect() {}
    },
  );
  return seen;
}

afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

test("the first job stands by itself, and the key J opens it", async () => {
  const second = { ...JOB, id: 22, state: "in_progress", first: 40, last: 79, video_name: "second" };
  await open({ jobs: [JOB, second], reviews: [REVIEW], pools: [], job_count: 2, review_count: 1, ...ENDS });
  expect(get("work-next").textContent).toContain("dirt bike");
  expect(get("work-next").textContent).toContain("frames 0 to 39");
  expect(get("work-count").textContent).toBe("2 jobs to annotate · 1 to review");
  expect(query("job-21")).toBeNull();
  expect(get("job-open-22").getAttribute("href")).toBe("/videos/7?job=22");
  expect(get("job-30").dataset.state).toBe("validation-new");
  await press("j", document.body);
  expect(route.value).toEqual({ page: "studio", video: 7 });
  expect(location.search).toBe("?job=21");
});

test("what the reviewer wrote stands beside the job that was sent back", async () => {
  const note = { text: "The legs are missing.", by: { id: 2, name: "Rae" }, at: "2026-01-02T00:00:00Z" };
  const job = { ...JOB, state: "rejected", note };
  await open({ jobs: [job], reviews: [], pools: [], job_count: 1, review_count: 0, ...ENDS });
  expect(get("work-note").textContent).toBe("RaeThe legs are missing.");
  hide();
  const held = { ...job, note: { ...note, by: null } };
  await open({ jobs: [held], reviews: [], pools: [], job_count: 1, review_count: 0, ...ENDS });
  expect(get("work-note").textContent).toBe("Automatic checkThe legs are missing.");
});

test("whoever has none takes one from a pool and is in it", async () => {
  const server = await open({
    jobs: [],
    reviews: [],
    pools: [{ project: 3, project_name: "Sports reel", jobs: 12 }],
    ...ENDS,
  });
  expect(get("work-empty").textContent).toContain("Take a job from a pool");
  server.answers["POST /api/projects/3/jobs/take"] = { ...JOB, id: 40 };
  await click("work-take-3");
  expect(location.search).toBe("?job=40");
});

test("further parts of a list are loaded when its end comes near", async () => {
  const seen = watchedEnds();
  const counts = { job_count: 30, review_count: 1 };
  const jobs = [22, 23].map((id) => ({ ...JOB, id }));
  const server = await open({ ...counts, jobs: [JOB], reviews: [REVIEW], pools: [], ...ENDS, next_jobs: 21 });
  server.answers["GET /api/me/work?jobs_after=21"] = {
    ...counts,
    jobs,
    reviews: [REVIEW],
    pools: [],
    ...ENDS,
  };
  expect(get("work-reviews").closest("section")?.textContent).toContain("To review 1");
  seen.at(-1)?.();
  await act(settled);
  expect(get("work-jobs").closest("section")?.textContent).toContain("To annotate 29");
  expect(get("work-jobs").children.length).toBe(2);
  expect(get("work-reviews").children.length).toBe(1);
  expect(query("list-more")).toBeNull();
});

test("a further part is asked for once, and not again by itself when it cannot be loaded", async () => {
  const seen = watchedEnds();
  const counts = { job_count: 3, review_count: 0 };
  const server = await open({ ...counts, jobs: [JOB], reviews: [], pools: [], ...ENDS, next_jobs: 21 });
  server.answers["GET /api/me/work?jobs_after=21"] = UNREACHABLE;
  const further = () => server.asked.filter(({ path }) => path.includes("jobs_after")).length;
  seen.at(-1)?.();
  seen.at(-1)?.();
  await act(settled);
  expect([further(), query("list-more")]).toEqual([1, null]);
  expect(get("not-loaded").textContent).toContain("could not be loaded");
  const jobs = [22, 23].map((id) => ({ ...JOB, id }));
  server.answers["GET /api/me/work?jobs_after=21"] = { ...counts, jobs, reviews: [], pools: [], ...ENDS };
  await click("not-loaded-retry");
  expect(get("work-jobs").children.length).toBe(2);
  expect(query("not-loaded")).toBeNull();
});

test("a lost connection is said", async () => {
  await open(UNREACHABLE);
  expect(query("state-offline")).not.toBeNull();
});
