import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createStore, type Store } from "../state/store";
import { watchScores } from "./scores";
import { state } from "./testing";

const NEWEST = 300; // Each round has a score.

let store: Store;
let stop: () => void;

beforeEach(() => {
  vi.stubGlobal("fetch", (path: string) => {
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
  await vi.waitFor(() => expect(oldest()).toBe(101));
  store.looking.value = 40;
  await vi.waitFor(() => expect(oldest()).toBe(1));
});
