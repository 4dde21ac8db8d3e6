import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { toasts } from "../parts/Toast";
import type { LineInfo, RoundInfo } from "../protocol";
import { load } from "../state/reduce";
import { createStore, type Store } from "../state/store";
import { usedOn } from "./drawingLayer";
import { loadOlderRounds } from "./olderRounds";
import { round, state } from "./testing";

const scribble = (frame: number) => ({
  object_id: 1,
  path: [[0.1, 0.2]] as [number, number][],
  frame,
  kind: "scribble" as const,
  positive: true,
});

/** The line of a round, all of whose versions are on it. */
const lineTo = (tip: number | null): LineInfo => ({
  round: tip,
  rounds: tip === null ? [] : [[1, tip]],
  ahead: [[(tip ?? 0) + 1, 9]],
  masks: tip === null ? [] : [[0, 9, tip]],
  drawn: [[4, 4]],
  scribbled: { 1: [[4, 4]] },
  painted: {},
  painted_since: {},
});

const versions = (first: number, last: number): RoundInfo[] =>
  Array.from({ length: last - first + 1 }, (_, index) => {
    const id = first + index;
    return round({ id, base: id > 1 ? id - 1 : null, scribbles: [scribble(4)] });
  });

let asked: string[];
let answers: (address: URL) => unknown;
let store: Store;
let stop: () => void;

beforeEach(() => {
  asked = [];
  answers = (address) => {
    const parts = address.pathname.split("/");
    if (parts.at(-1) === "scribbles") return { scribbles: [scribble(4), scribble(4)], next: null };
    if (parts.at(-1) === "line") {
      const tip = address.searchParams.get("round");
      return lineTo(tip === null ? null : Number(tip));
    }
    if (parts.at(-2) === "rounds") return versions(Number(parts.at(-1)), Number(parts.at(-1)))[0];
    const before = Number(address.searchParams.get("before"));
    return {
      rounds: versions(Math.max(1, before - 3), before - 1).reverse(),
      next: before > 4 ? before - 3 : null,
    };
  };
  vi.stubGlobal("fetch", (path: string) => {
    asked.push(path);
    const body = answers(new URL(path, "http://test"));
    const status = body === undefined ? 500 : 200;
    const text = JSON.stringify(body ?? { code: "failed", text: "The server failed." });
    return Promise.resolve(new Response(text, { status, headers: { "content-type": "application/json" } }));
  });
  store = createStore(5);
  store.rounds.value = new Map(versions(8, 9).map((each) => [each.id, each]));
  store.head.value = 9;
  store.older.value = { before: 8, count: 7 };
  store.lines.value = new Map([[7, lineTo(7)]]);
  stop = loadOlderRounds(store);
});

afterEach(() => {
  stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
  toasts.value = [];
});

const live = () => {
  store.connection.value = "live";
};

it("asks for nothing while there is no connection, nor for what is known", async () => {
  store.pages.value = 1;
  expect(asked).toEqual([]);
  store.pages.value = 0;
  live();
  await Promise.resolve();
  expect(asked).toEqual([]);
});

it("loads a page of the list when it is wanted, and keeps what the socket has told since", async () => {
  live();
  store.rounds.value = new Map(store.rounds.value).set(6, round({ id: 6, base: 5, error: "newer" }));
  store.pages.value = 1;
  await vi.waitFor(() => expect(store.older.value).toEqual({ before: 5, count: 4 }));
  expect([...store.rounds.value.keys()].sort()).toEqual([5, 6, 7, 8, 9]);
  expect(store.rounds.value.get(6)?.error).toBe("newer");
  store.pages.value = 3;
  await vi.waitFor(() => expect(store.older.value).toBe(null));
  expect(store.rounds.value.size).toBe(9);
  expect(store.line.value.ids).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
});

it("stops at a page that fails until it is asked for again", async () => {
  const { ...all } = { answers };
  answers = () => undefined;
  live();
  store.pages.value = 1;
  await vi.waitFor(() => expect(store.loading.value).toBe("failed"));
  expect(asked).toHaveLength(1);
  answers = all.answers;
  store.loading.value = "idle";
  await vi.waitFor(() => expect(store.older.value?.before).toBe(5));
});

it("offers to try again when an answer cannot be read", async () => {
  const thrown: unknown[] = [];
  const keep = (problem: unknown) => void thrown.push(problem);
  process.on("unhandledRejection", keep);
  vi.stubGlobal("fetch", () => Promise.resolve(new Response("<html>", { status: 200 })));
  live();
  store.pages.value = 1;
  await vi.waitFor(() => expect(store.loading.value).toBe("failed"));
  await vi.waitFor(() => expect(thrown).toHaveLength(1)); // The fault is still told.
  process.off("unhandledRejection", keep);
});

it("drops a page that came after a new state of the video", async () => {
  live();
  store.pages.value = 1;
  store.older.value = { before: 20, count: 19 };
  store.pagesHere.value = 1;
  await vi.waitFor(() => expect(store.loading.value).toBe("idle"));
  expect(store.older.value).toEqual({ before: 20, count: 19 });
  expect(store.rounds.value.size).toBe(2);
});

it("loads the round that undo leads to before it is the head, and then what is below it", async () => {
  live();
  store.head.value = 8;
  await vi.waitFor(() => expect(store.rounds.value.has(7)).toBe(true));
  expect(store.line.value.missing).toBe(null);
  asked = [];
  store.head.value = 7;
  expect(store.line.value.missing).toBe(null); // Its masks are known at once.
  await vi.waitFor(() => expect(store.rounds.value.has(6)).toBe(true));
  await vi.waitFor(() => expect(store.lines.value.has(6)).toBe(true));
  expect(asked.sort()).toEqual(["/api/rounds/6", "/api/videos/5/line?round=6"]);
});

it("loads a head that somebody moved to an old round, and where redo leads from there", async () => {
  live();
  store.head.value = 3;
  expect(store.line.value.missing).toBe(3);
  await vi.waitFor(() => expect(store.line.value.missing).toBe(null));
  await vi.waitFor(() => expect(store.rounds.value.has(3)).toBe(true));
  expect(store.summaries.value).toEqual([]); // The video is not loaded in this test.
  store.head.value = null;
  await vi.waitFor(() => expect(store.lines.value.get(null)?.ahead).toEqual([[1, 9]]));
});

it("loads the scribbles of the frame in view that older rounds used, once", async () => {
  live();
  expect(asked).toEqual([]);
  store.frame.value = 4;
  await vi.waitFor(() => expect(store.olderScribbles.value.size).toBe(1));
  expect(usedOn(store, 4)).toHaveLength(4); // two of the loaded rounds, two of the others
  store.frame.value = 5;
  store.frame.value = 4;
  await Promise.resolve();
  expect(asked.filter((address) => address.includes("scribbles"))).toEqual([
    "/api/videos/5/line/scribbles?round=7&frame=4&limit=200",
  ]);
});

it("loads the scribbles again after a new state of the video, as one that was used may wait again", async () => {
  live();
  store.frame.value = 4;
  await vi.waitFor(() => expect(store.olderScribbles.value.size).toBe(1));
  const before = answers;
  answers = (address) => {
    const found = before(address);
    return address.pathname.endsWith("scribbles") ? { scribbles: [scribble(4)], next: null } : found;
  };
  const older = { before: 8, count: 7, line: lineTo(7) };
  load(store, state({ rounds: versions(8, 9), head: 9, older }));
  await vi.waitFor(() => expect(usedOn(store, 4)).toHaveLength(3)); // two of the loaded rounds, one of the others
});

describe("after a new state of the video", () => {
  const comes = (rounds: RoundInfo[], before: number) => {
    const older = { before, count: before - 1, line: lineTo(before - 1) };
    load(store, state({ rounds, head: rounds.at(-1)?.id ?? null, older }));
  };
  const loadedDownTo = async (before: number) => {
    live();
    store.pages.value = 1;
    await vi.waitFor(() => expect(store.older.value?.before).toBe(before));
    asked = [];
  };

  it("keeps the pages of the list that were loaded, and asks for none of them", async () => {
    await loadedDownTo(5);
    comes(versions(9, 10), 9);
    expect([...store.rounds.value.keys()].sort((a, b) => a - b)).toEqual([5, 6, 7, 8, 9, 10]);
    expect(store.older.value).toEqual({ before: 5, count: 4 });
    expect(store.line.value.ids).toEqual([10, 9, 8, 7, 6, 5]);
    await Promise.resolve();
    expect(asked.filter((address) => address.includes("before"))).toEqual([]);
    store.pages.value = store.pagesHere.value + 1;
    await vi.waitFor(() => expect(store.older.value).toEqual({ before: 2, count: 1 }));
    expect(asked.filter((address) => address.includes("before"))).toHaveLength(1);
  });

  it("asks only for the rounds that are missing between those that were loaded and the newest ones", async () => {
    await loadedDownTo(5);
    comes(versions(16, 17), 16);
    expect(store.older.value).toEqual({ before: 16, count: 15 });
    store.pages.value = 5;
    await vi.waitFor(() => expect(store.older.value).toEqual({ before: 5, count: 4 }));
    expect(asked.filter((address) => address.includes("before"))).toEqual([
      "/api/videos/5/rounds?before=16&limit=30",
      "/api/videos/5/rounds?before=13&limit=30",
      "/api/videos/5/rounds?before=10&limit=30",
    ]);
    expect(store.rounds.value.size).toBe(13);
    expect(store.loading.value).toBe("idle");
  });

  it("loads a round again that was running, as it has ended meanwhile", async () => {
    store.rounds.value = new Map(store.rounds.value).set(9, round({ id: 9, base: 8, state: "running" }));
    await loadedDownTo(5);
    comes(versions(10, 11), 10);
    expect([...store.rounds.value.keys()].sort((a, b) => a - b)).toEqual([5, 6, 7, 8, 10, 11]);
    expect(store.older.value).toEqual({ before: 10, count: 9 });
    await vi.waitFor(() => expect(store.older.value).toEqual({ before: 5, count: 4 }));
    expect(store.rounds.value.get(9)?.state).toBe("done");
  });
});

/** Stands at round 8, whose base, round 7, is asked for: the request number `n` is answered with `given(n)`. */
function basesWith(given: (n: number) => Response | undefined): () => number {
  vi.useFakeTimers();
  let n = 0;
  vi.stubGlobal("fetch", () => {
    const answer = given(++n);
    return answer ? Promise.resolve(answer) : Promise.reject(new TypeError("network"));
  });
  live();
  store.head.value = 8;
  return () => n;
}

it("asks again, without a message, after a request was lost while the socket stayed", async () => {
  const requests = basesWith((n) => (n < 3 ? undefined : Response.json(versions(7, 7)[0])));
  await vi.advanceTimersByTimeAsync(4000);
  expect(requests()).toBe(1);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(store.rounds.value.has(7)).toBe(true);
  expect(requests()).toBe(3);
  expect(toasts.value).toEqual([]);
});

it("gives up what is refused some times, until the page connects again", async () => {
  const refusal = { code: "not_found", text: "There is no such round." };
  const requests = basesWith(() => Response.json(refusal, { status: 404 }));
  await vi.advanceTimersByTimeAsync(600_000);
  expect(requests()).toBe(4);
  expect(toasts.value.map(({ text }) => text)).toEqual([refusal.text]);
  store.connection.value = "lost";
  live();
  await vi.advanceTimersByTimeAsync(0);
  expect(requests()).toBe(5);
});

it("goes on asking a server that fails, and tells of a later failure again", async () => {
  const failure = { code: "failed", text: "The server failed." };
  const requests = basesWith((n) =>
    n === 7 ? Response.json(versions(7, 7)[0]) : Response.json(failure, { status: 503 }),
  );
  await vi.advanceTimersByTimeAsync(60_000);
  expect(requests()).toBe(7);
  expect(toasts.value).toHaveLength(1);
  toasts.value = [];
  store.rounds.value = new Map(versions(8, 9).map((each) => [each.id, each]));
  await vi.advanceTimersByTimeAsync(0);
  expect(toasts.value.map(({ text }) => text)).toEqual([failure.text]);
});
