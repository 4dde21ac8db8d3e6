import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { PROJECT } from "../api/samples";
import { FakeServer, Refusal } from "../api/testing";
import type { Fetch } from "../api/types";
import { click, get, hide, query, settled, show, type } from "../parts/testing";
import { FETCH_POLL, folderAbove, nameOf } from "./fetches";
import { FromServer, ServerFiles } from "./ServerFiles";

const FETCH: Fetch = {
  id: 4,
  source: "day one/reef.mp4",
  as_video: true,
  state: "running",
  error: "",
  progress_done: 1,
  progress_total: 4,
  upload: null,
  video: null,
  created_at: "2026-01-01T00:00:00Z",
};
const ALL = { folder: true, addresses: true, buckets: true };
const FILES = "GET /api/projects/3/server-files";
const FETCHES = "GET /api/projects/3/fetches?limit=30";
const MAKE = "POST /api/projects/3/fetches";

beforeEach(() => {
  FETCH_POLL.ms = 1;
});
afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

async function until(check: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !check(); tries += 1) await act(settled);
  expect(check()).toBe(true);
}

it("brings in what is chosen in a folder, shows how far it is, and says when it is there", async () => {
  const server = new FakeServer({
    [FILES]: [
      { path: "day one", is_folder: true, size: 0 },
      { path: "s3://footage/clips/", is_folder: true, size: 0 },
    ],
    [`${FILES}?path=day+one`]: [{ path: "day one/reef.mp4", is_folder: false, size: 2048 }],
    [FETCHES]: [],
    [MAKE]: FETCH,
  });
  const onArrived = vi.fn();
  await show(<ServerFiles project={PROJECT} sources={ALL} onArrived={onArrived} onClose={() => {}} />);
  await until(() => query("server-folder-day one") !== null);
  expect(get<HTMLInputElement>("server-file-clips").disabled).toBe(false); // A folder of a bucket comes as a whole, too.
  await click("server-folder-day one");
  await until(() => query("server-file-reef.mp4") !== null);
  await click("server-file-reef.mp4");
  server.answers[FETCHES] = [FETCH];
  await click("server-files-bring");
  await until(() => query("fetch-progress-4")?.getAttribute("aria-valuenow") === "25");
  expect(server.body(MAKE)).toEqual({ source: "day one/reef.mp4", as_video: true });
  server.answers[FETCHES] = [
    { ...FETCH, id: 5 },
    { ...FETCH, state: "done", video: 9 },
  ]; // Another one has begun.
  await until(() => get("fetch-4").textContent?.includes("is here") ?? false);
  expect(onArrived).toHaveBeenCalledTimes(1);
  await click("server-files-up");
  await until(() => query("server-folder-day one") !== null);
});

it("says why an address is refused, keeps it, and cancels what is on its way", async () => {
  const opened = vi.fn();
  const server = new FakeServer({
    "GET /api/fetch-sources": { ...ALL, folder: false, buckets: false },
    [FETCHES]: [{ ...FETCH, progress_total: 0 }],
    "POST /api/fetches/4/cancel": new Refusal(409, { code: "ended", text: "It has ended already." }),
  });
  await show(<FromServer onOpen={opened} />);
  await until(() => query("server-files-open") !== null);
  await click("server-files-open");
  const sources = opened.mock.calls[0]?.[0];
  await show(<ServerFiles project={PROJECT} sources={sources} onArrived={() => {}} onClose={() => {}} />);
  await until(() => query("fetch-cancel-4") !== null);
  expect(query("server-files-list")).toBeNull();
  await type("server-address", "https://example.org/a.mp4");
  await click("server-address-bring");
  await until(() => query("server-files-problem") !== null);
  expect(get<HTMLInputElement>("server-address").value).toBe("https://example.org/a.mp4");
  await click("fetch-cancel-4");
  await until(() => get("server-files-problem").textContent === "It has ended already.");
  server.answers[FETCHES] = [{ ...FETCH, state: "cancelled" }];
  server.answers["POST /api/fetches/4/cancel"] = { ...FETCH, state: "cancelled" };
  await click("fetch-cancel-4");
  await until(() => get("fetch-4").textContent?.includes("was cancelled") ?? false);
  expect(query("server-files-problem")).toBeNull();
});

it("is not there where the site gets no files itself", async () => {
  new FakeServer({ "GET /api/fetch-sources": { folder: false, addresses: false, buckets: false } });
  await show(<FromServer onOpen={() => {}} />);
  await act(settled);
  expect(query("server-files-open")).toBeNull();
});

it("knows names and the folders above", () => {
  expect([nameOf("a/b.mp4"), nameOf("s3://footage/clips/"), nameOf("s3://footage/")]).toEqual([
    "b.mp4",
    "clips",
    "footage",
  ]);
  expect(folderAbove("a/b/c", ["a"])).toBe("a/b");
  expect(folderAbove("a", ["a"])).toBe("");
  expect(folderAbove("s3://footage/clips/day/", ["s3://footage/clips/"])).toBe("s3://footage/clips/");
  expect(folderAbove("s3://footage/clips/", ["s3://footage/clips/"])).toBe("");
});
