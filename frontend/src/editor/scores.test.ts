import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createStore, type Store } from "../state/store";
import { watchScores } from "./scores";
import { settled, state } from "./testing";

const NEWEST = 300; // Each round has a score.

let asked: number; // requests
let fails: boolean;
let store: Store;
let stop: () => void;

beforeEach(() => {
  [asked, fails] = [0, false];
  vi.stubGlobal("fetch", (path: string) => {
    asked++;
    if (fails) return Promise.reject(new TypeError("no network"));
    const address = new URL(path, "http://test");
    const newest = Number(address.searchParams.get("after") ?? NEWEST);
    const limit = Number(address.searchParams.get("limit"));
    const scores = Array.from({ length: Math.min(limit, newest) }, (_, index) => ({ round: newest - index }));
    const next = newest - scores.length;
    const headers: HeadersInit = { "content-type": "application/json" };
    if (next > 0) headers.link = `<?reverse=true&limit=${limit}&after=${next}>; rel="next"`;
    return Promise.resolve(new Response(JSON.stringify(scores), { headers }));
  });
  store = createStore(5);
  store.video.value = { ...state().video, truth_frames: [0] };
  store.head.value = NEWEST;
  store.older.value = { before: 270, count: 269 };
  stop = watchScores(store);
  store.connection.value = "live";
});

afterEach(() => {
  stop();
  vi.unstubAllGlobals();
});

const oldest = () => Math.min(...store.scores.value.keys());

it("loads the scores of the rounds in the list", async () => {
  await vi.waitFor(() => expect(oldest()).toBe(251));
});

it("loads the scores of a head and of a round in view that are older than the list", async () => {
  store.head.value = 180;
  await vi.waitFor(() => expect(oldest()).toBe(151));
  store.looking.value = 40;
  await vi.waitFor(() => expect(oldest()).toBe(1));
});

it("asks for no score again while older rounds are loaded, and for all that were loaded when a round was scored", async () => {
  for (let before = 240; before > 0; before -= 30) {
    store.older.value = { before, count: before - 1 };
    await settled();
  }
  store.older.value = null;
  await vi.waitFor(() => expect(store.scores.value.size).toBe(NEWEST));
  expect(asked).toBe(6);
  store.scored.value++;
  await vi.waitFor(() => expect(asked).toBe(12));
});

it("starts again after a request that failed", async () => {
  await vi.waitFor(() => expect(oldest()).toBe(251));
  fails = true;
  store.head.value = 240;
  await vi.waitFor(() => expect(asked).toBe(2));
  await settled();
  fails = false;
  store.head.value = 230;
  await vi.waitFor(() => expect(oldest()).toBe(201));
});
