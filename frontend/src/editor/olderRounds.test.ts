import { afterEach, expect, it, vi } from "vitest";
import { createStore } from "../state/store";
import { loadOlderRounds } from "./olderRounds";
import { round } from "./testing";

const scribble = (path: [number, number][]) => ({
  object_id: 1,
  path,
  frame: 0,
  kind: "scribble" as const,
  positive: true,
});

afterEach(() => vi.unstubAllGlobals());

it("loads the paths of older rounds page by page, and keeps what else is known of them", async () => {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (address: string) => {
    asked.push(address);
    const last = address.includes("before=2");
    const body = {
      rounds: [round({ id: last ? 1 : 2, state: "queued", scribbles: [scribble([[0.1, 0.2]])] })],
      next: last ? null : 2,
    };
    return Promise.resolve(
      new Response(JSON.stringify(body), { headers: { "content-type": "application/json" } }),
    );
  });
  const store = createStore(5);
  store.rounds.value = new Map(
    [1, 2, 3].map((id) => [id, round({ id, scribbles: id < 3 ? [scribble([])] : [] })]),
  );
  const stop = loadOlderRounds(store);
  expect(asked).toEqual([]); // The socket is not open yet.
  store.connection.value = "live";
  await vi.waitFor(() => expect(asked).toHaveLength(2));
  await vi.waitFor(() => expect(store.rounds.value.get(1)?.scribbles[0]?.path).toEqual([[0.1, 0.2]]));
  expect(store.rounds.value.get(2)?.state).toBe("done");
  expect(asked[0]).toContain("before=3");
  stop();
});
