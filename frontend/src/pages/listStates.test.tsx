import { act } from "preact/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import { PROJECT } from "../api/samples";
import { Refusal } from "../api/testing";
import { click, get, hide, query, settled } from "../parts/testing";
import { CARDS, cards, open } from "./testing";

const NONE = { frames: null, bytes: null, engine_seconds: null };
const QUOTAS = { each_project: NONE, each_person: NONE, own: [] };
const IN = "/projects/3";
const API = "GET /api/projects/3";

/** Each list: its page, the call that fills it, an empty answer, and what stands there then. */
const LISTS: [string, string, unknown, string][] = [
  ["/", "GET /api/projects", [], "projects-empty"],
  ["/?archived=yes", "GET /api/projects?archived=true", [], "projects-archived-none"],
  [
    "/work",
    "GET /api/me/work",
    { jobs: [], reviews: [], pools: [], next_jobs: null, next_reviews: null, next_pools: null },
    "work-empty",
  ],
  ["/teams", "GET /api/teams", [], "teams-none"],
  ["/quotas", "GET /api/quotas", QUOTAS, "quotas-none"],
  ["/trash", "GET /api/trash", [], "trash-none"],
  ["/audit", "GET /api/audit", { entries: [], next: null }, "audit-empty"],
  [IN, CARDS, cards(), "videos-empty"],
  [`${IN}/exports`, `${API}/exports`, [], "exports-empty"],
  [`${IN}/numbers`, `${API}/numbers?by=person`, { rows: [] }, "numbers-empty"],
  [
    `${IN}/quality`,
    "GET /api/jobs?project=3&order=quality&limit=12",
    { jobs: [], next: null },
    "quality-jobs-none",
  ],
  [`${IN}/quality`, `${API}/cards?truth=true&order=name`, cards(), "known-none"],
  [`${IN}/audit`, `${API}/audit`, { entries: [], next: null }, "audit-empty"],
  [`${IN}/settings`, `${API}/webhooks`, [], "webhooks-none"],
];

/** What the other lists of these pages are answered, so that only one list waits or fails. */
const OTHERS: Record<string, unknown> = {
  [API]: PROJECT,
  [`${API}/members`]: [],
  [`${API}/views`]: [],
  [`${API}/quality`]: { least_jf: null, below: "flag", attempts: 3 },
  [`${API}/progress`]: { jobs: {}, frames: 0, accepted_frames: 0, late: 0, days: [] },
  [`${API}/curve`]: { points: [] },
  [`${API}/quota`]: {
    frames: { limit: null, used: 0 },
    bytes: { limit: null, used: 0 },
    engine_seconds: { limit: null, used: 0 },
  },
  "GET /api/engines": [],
  "GET /api/export-formats": [],
  ...Object.fromEntries(LISTS.map(([, call, empty]) => [call, empty])),
};

afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

test.each(LISTS)(
  "the list of %s (%s) says that it loads, failed, and is empty",
  async (at, call, empty, none) => {
    let answer: (refusal: Refusal) => void = () => {};
    const pending = new Promise((resolve) => {
      answer = resolve;
    });
    const server = await open(at, { ...OTHERS, [call]: () => pending });
    expect(query("state-loading")).not.toBeNull();
    expect(query(none)).toBeNull();
    await act(async () => {
      answer(new Refusal(500, { code: "failed", text: "The disk is full." }));
      await settled();
      await settled();
    });
    expect(query("state-loading")).toBeNull();
    expect(get("state-failed").textContent).toContain("The disk is full.");
    server.answers[call] = empty;
    await click("retry");
    await act(settled);
    expect(query(none)).not.toBeNull();
    expect(query("state-failed")).toBeNull();
  },
);

test("a part that could not be loaded says so in a line, and is asked for again", async () => {
  const refusal = new Refusal(500, { code: "failed", text: "The disk is full." });
  const server = await open(`${IN}/quality`, { ...OTHERS, [`${API}/members`]: refusal });
  expect(get("not-loaded").textContent).toContain("The members could not be loaded. The disk is full.");
  server.answers[`${API}/members`] = [];
  await click("not-loaded-retry");
  expect(query("not-loaded")).toBeNull();
});
