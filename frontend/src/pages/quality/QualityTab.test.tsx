import { act } from "preact/test-utils";
import { afterEach, describe, expect, test, vi } from "vitest";
import { CARD, CARD_JOB, JOB, PROJECT } from "../../api/samples";
import { FakeServer, FakeSocket, Refusal } from "../../api/testing";
import { click, fire, get, hide, query, settled, show, type } from "../../parts/testing";
import { withPart } from "./jobParts";
import { QualityTab } from "./QualityTab";
import { inWords } from "./Thresholds";

const JOBS = "GET /api/jobs?project=3&order=quality";
const people = [2, 3, 4, 5].map((id) => ({
  user: { id, username: `p${id}`, name: `P${id}` },
  role: "annotator",
}));
const copies = people.slice(0, 2).map(({ user }, index) => ({
  job: 31 + index,
  video: 41 + index,
  person: user,
  stage: "annotation",
  state: "completed",
}));
const consensus = { job: 21, copies, agreement: [], computing: false, error: "", merged: null };

async function open(role: "reviewer" | "manager"): Promise<FakeServer> {
  const server = new FakeServer({
    "GET /api/projects/3/members": people,
    "GET /api/projects/3/quality": { least_jf: null, below: "flag", attempts: 3 },
    [`${JOBS}&limit=12`]: { jobs: [{ ...JOB, j: 0.4, f: 0.42, jf: 0.41, flagged: true }], next: 21 },
    [`${JOBS}&limit=100&after=21`]: { jobs: [JOB, { ...JOB, id: 20 }], next: null }, // One of them has moved down.
    "GET /api/projects/3/cards?truth=true&order=name": {
      cards: [
        {
          ...CARD,
          has_truth: true,
          last_worked_by: "P4",
          jobs: [{ ...CARD_JOB, assignee: { id: 5, name: "P5" } }],
        },
      ],
      next: null,
      total: 1,
    },
    "GET /api/jobs/21/consensus": new Refusal(404, { code: "not_found", text: "There is none." }),
  });
  await show(<QualityTab project={{ ...PROJECT, role }} onChange={() => {}} />);
  for (let turn = 0; turn < 3; turn += 1) await act(settled);
  return server;
}

async function submit(testid: string): Promise<void> {
  await fire(testid, new SubmitEvent("submit", { cancelable: true }));
  await act(settled);
}

afterEach(() => {
  hide();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the quality of a project", () => {
  test("is ruled, checked, mixed with known clips and drawn for review by managers", async () => {
    const server = await open("manager");
    expect(get("quality-jobs").firstElementChild?.textContent).toContain("below threshold: J&F 0.41");
    expect(get("quality-jobs").firstElementChild?.textContent).toContain("Ada · J 0.40, F 0.42");
    await click("quality-jobs-more");
    expect(get("quality-jobs").childElementCount).toBe(2);
    expect(query("quality-jobs-more")).toBeNull();
    await type("quality-least", "1.5");
    expect(get<HTMLButtonElement>("quality-save").disabled).toBe(true);
    await type("quality-least", "0,8");
    server.answers["PATCH /api/projects/3/quality"] = { least_jf: 0.8, below: "flag", attempts: 3 };
    await submit("quality-form");
    expect(server.body("PATCH /api/projects/3/quality")).toEqual({
      least_jf: 0.8,
      below: "flag",
      attempts: 3,
    });
    expect(get<HTMLInputElement>("quality-least").value).toBe("0.8");

    const choose = async (value: string) => {
      get<HTMLSelectElement>("quality-below").value = value;
      await fire("quality-below", new Event("change", { bubbles: true }));
    };
    await choose("hold");
    await type("quality-attempts", "0");
    expect(get<HTMLButtonElement>("quality-save").disabled).toBe(true);
    await choose("flag"); // Then the number is not asked for, so it holds nothing up.
    await type("quality-least", "0.7");
    expect(get<HTMLButtonElement>("quality-save").disabled).toBe(false);
    await submit("quality-form");
    expect(server.body("PATCH /api/projects/3/quality")).toEqual({
      least_jf: 0.7,
      below: "flag",
      attempts: 3,
    });

    server.answers["POST /api/projects/3/review-sample"] = { seed: 5, jobs: [JOB] };
    await type("sample-share", "25");
    const jobs = `${JOBS}&limit=12`;
    expect(server.lines.filter((line) => line === jobs).length).toBe(1);
    await submit("sample-form");
    expect(server.lines.filter((line) => line === jobs).length).toBe(2);
    expect(server.body("POST /api/projects/3/review-sample")).toEqual({ share: 0.25, of: "jobs" });
    expect(get("sample-result").textContent).toContain("1 job is in review");

    await click("mix-in-7");
    expect(get("mix-in-known").textContent).toContain(
      "they have a job in this video or worked on it last: P4, P5.",
    );
    await click("mix-in-person-p3");
    server.answers["POST /api/videos/7/mix-in"] = [{ job: 1, video: 2, assignee: 2 }];
    get("mix-in").querySelector("form")?.requestSubmit();
    await act(settled);
    expect(server.body("POST /api/videos/7/mix-in")).toEqual({ people: [2] });
    expect(query("mix-in")).toBeNull();
  });

  test("has a consensus: asked of two at least, compared, and merged into a version", async () => {
    const server = await open("manager");
    await click("consensus-open-21");
    await act(settled);
    await click("consensus-person-p2");
    expect(get<HTMLButtonElement>("consensus-ask").disabled).toBe(true);
    await click("consensus-person-p3");
    server.answers["POST /api/jobs/21/consensus"] = consensus;
    await submit("consensus-form");
    expect(server.body("POST /api/jobs/21/consensus")).toEqual({ people: [2, 3] });
    const agreement = [{ a: 31, b: 32, j: 0.8, f: 0.9, jf: 0.85 }];
    server.answers["POST /api/jobs/21/consensus/agreement"] = { ...consensus, agreement };
    await click("consensus-agreement");
    expect(get("consensus-table").textContent).toContain("P2 and P30.8000.9000.850");
    server.answers["POST /api/jobs/21/consensus/merge"] = { ...consensus, agreement, merged: 4 };
    await click("consensus-merge");
    expect(get("consensus-merged").textContent).toContain("version 4");
  });

  test("is read, not ruled, by reviewers", async () => {
    await open("reviewer");
    for (const id of ["quality-form", "sample-form", "mix-in-7", "consensus-open-21"])
      expect(query(id)).toBeNull();
    expect(get("known-clips").textContent).toContain("dirt bike");
  });

  test("shows a submission and its J&F by itself, which comes later", async () => {
    const server = await open("reviewer");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    server.answers[`${JOBS}&limit=12`] = { jobs: [{ ...JOB, jf: null }], next: null };
    const socket = FakeSocket.last as FakeSocket;
    expect(socket.url).toContain("/ws/projects/3");
    const loads = () => server.lines.filter((line) => line === `${JOBS}&limit=12`).length;
    const before = loads();
    socket.tell({ type: "videos.changed", changed: [], progress: [], all: true });
    await act(async () => void (await vi.advanceTimersByTimeAsync(20_000)));
    expect(loads()).toBe(before + 1); // The first message of the socket lets the list be loaded once.
    socket.tell({ type: "videos.changed", changed: [7], progress: [], all: false });
    await act(async () => void (await vi.advanceTimersByTimeAsync(1000)));
    expect(get("quality-jobs").textContent).not.toContain("J&F");
    server.answers[`${JOBS}&limit=12`] = { jobs: [{ ...JOB, jf: 0.9 }], next: null };
    await act(async () => void (await vi.advanceTimersByTimeAsync(1500)));
    expect(get("quality-jobs").textContent).toContain("J&F 0.90");
  });

  test("is not loaded again for the progress of an import, nor while it is hidden", async () => {
    const server = await open("reviewer");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    (FakeSocket.last as FakeSocket).tell({ type: "videos.changed", changed: [], progress: [], all: true });
    await act(async () => void (await vi.advanceTimersByTimeAsync(1000)));
    const tell = async (changed: number[]) => {
      (FakeSocket.last as FakeSocket).tell({ type: "videos.changed", changed, progress: [], all: false });
      await act(async () => void (await vi.advanceTimersByTimeAsync(20_000)));
    };
    const loads = () => server.lines.filter((line) => line === `${JOBS}&limit=12`).length;
    const before = loads();
    await tell([]);
    expect(loads()).toBe(before);
    const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    await tell([7]);
    expect(loads()).toBe(before);
    hidden.mockRestore();
    await act(async () => void document.dispatchEvent(new Event("visibilitychange")));
    expect(loads()).toBe(before + 1);
  });

  test("leaves out a part of a list that was loaded again meanwhile", () => {
    const list = { jobs: [JOB], next: 30 };
    expect(withPart(list, { jobs: [{ ...JOB, id: 2 }], next: null }, 21)).toBe(list);
  });

  test("is said in words", () => {
    expect(inWords({ least_jf: 0.8, below: "hold", attempts: 1 })).toContain(
      "goes back to its annotator, up to once",
    );
  });
});
