import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeServer, Refusal, UNREACHABLE } from "../api/testing";
import { cancel, enqueue, jobs, onArrived, pause, recall, resume } from "./queue";
import { all, remember } from "./remembered";

const make = (name: string, size = 1000) => new File([new Uint8Array(size)], name, { lastModified: 7 });
const states = () => jobs.value.map((job) => [job.name, job.state]);

/** Resolves when `check` holds. */
const until = (check: () => boolean) =>
  vi.waitFor(() => expect(check()).toBe(true), { interval: 5, timeout: 2000 });

/** A server whose chunks wait until `open()`. */
function slowServer(size = 1000) {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const upload = { id: "u1", received: 0, size };
  const fake = new FakeServer({
    "POST /api/projects/1/uploads": upload,
    "GET /api/uploads/u1": { ...upload, received: 400 },
    "PATCH /api/uploads/u1": async () => {
      await gate;
      return { ...upload, received: size };
    },
    "POST /api/uploads/u1/finish": { id: 5, name: "a" },
    "DELETE /api/uploads/u1": null,
  });
  return { fake, open };
}

beforeEach(() => {
  localStorage.clear();
  jobs.value = [];
});
afterEach(async () => {
  for (const job of jobs.value) await cancel(job.key);
  vi.unstubAllGlobals();
});

describe("uploads", () => {
  test("are sent two at a time, each once, and become videos", async () => {
    const { open } = slowServer();
    const arrived = vi.fn();
    const end = onArrived(arrived);
    enqueue(1, [make("a"), make("b"), make("c"), make("a")]);
    expect(states()).toEqual([
      ["a", "sending"],
      ["b", "sending"],
      ["c", "waiting"],
    ]);
    open();
    await until(() => jobs.value.length === 0);
    end();
    expect(arrived).toHaveBeenCalledTimes(3);
    expect(arrived).toHaveBeenCalledWith(1, { id: 5, name: "a" });
    expect(all()).toEqual([]);
  });

  test("pause and go on", async () => {
    const { fake, open } = slowServer();
    enqueue(1, [make("a")]);
    await until(() => fake.lines.some((line) => line.startsWith("PATCH")));
    const key = jobs.value[0]?.key as number;
    pause(key);
    expect(states()).toEqual([["a", "paused"]]);
    expect(all().map((upload) => upload.id)).toEqual(["u1"]);
    open();
    resume(key);
    await until(() => jobs.value.length === 0);
    expect(fake.lines).toContain("GET /api/uploads/u1"); // it asks how much is there
  });

  test("cancel stops at once and tells the server", async () => {
    const { fake } = slowServer();
    enqueue(1, [make("a")]);
    await until(() => all().length === 1);
    await cancel(jobs.value[0]?.key as number);
    expect(jobs.value).toEqual([]);
    expect(fake.lines).toContain("DELETE /api/uploads/u1");
    expect(all()).toEqual([]);
  });

  test("that a file was refused is said, and trying again starts anew", async () => {
    const { fake, open } = slowServer();
    fake.answers["POST /api/projects/1/uploads"] = new Refusal(400, {
      code: "empty",
      text: "The file is empty.",
    });
    enqueue(1, [make("a")]);
    await until(() => jobs.value[0]?.state === "refused");
    expect(jobs.value[0]?.text).toBe("The file is empty.");
    fake.answers["POST /api/projects/1/uploads"] = { id: "u1", received: 0, size: 1000 };
    open();
    resume(jobs.value[0]?.key as number);
    await until(() => jobs.value.length === 0);
  });
});

describe("after a reload", () => {
  const upload = { id: "u1", project: 1, name: "a", size: 1000, lastModified: 7, received: 300 };

  test("an unfinished upload waits for its file, and the same file goes on with it", async () => {
    const { fake, open } = slowServer();
    open();
    remember(upload);
    await recall(1);
    expect(states()).toEqual([["a", "missing"]]);
    expect(jobs.value[0]?.received).toBe(400); // what the server says, not what was remembered
    enqueue(1, [make("a")]);
    await until(() => jobs.value.length === 0);
    expect(fake.lines).not.toContain("POST /api/projects/1/uploads");
    expect(fake.asked.find((asked) => asked.method === "PATCH")?.headers.get("Upload-Offset")).toBe("400");
  });

  test("one that had arrived whole becomes a video without the file", async () => {
    const { fake } = slowServer();
    fake.answers["GET /api/uploads/u1"] = { id: "u1", received: 1000, size: 1000 };
    remember(upload);
    const arrived = vi.fn();
    const end = onArrived(arrived);
    await recall(1);
    end();
    expect(fake.lines).toContain("POST /api/uploads/u1/finish");
    expect(arrived).toHaveBeenCalledWith(1, { id: 5, name: "a" });
    expect(all()).toEqual([]);
  });

  test("one that another window is at is left to it", async () => {
    const { fake } = slowServer();
    const held = [{ name: "maskwright.upload.u1" }];
    vi.stubGlobal("navigator", { locks: { query: async () => ({ held }), request: async () => {} } });
    remember(upload);
    await recall(1);
    expect(jobs.value).toEqual([]);
    expect(fake.lines).toEqual([]);
  });

  test("another file of that name is another upload", async () => {
    slowServer();
    remember(upload);
    await recall(1);
    enqueue(1, [make("a", 1001)]);
    expect(states()).toEqual([
      ["a", "missing"],
      ["a", "sending"],
    ]);
  });

  test("one that the server has forgotten is forgotten here, one that it cannot be asked for is kept", async () => {
    const { fake } = slowServer();
    remember(upload);
    fake.answers["GET /api/uploads/u1"] = UNREACHABLE;
    await recall(1);
    expect(all()).toHaveLength(1);
    fake.answers["GET /api/uploads/u1"] = new Refusal(404, { code: "not_found", text: "" });
    await recall(1);
    expect(all()).toEqual([]);
    expect(jobs.value).toEqual([]);
  });
});
