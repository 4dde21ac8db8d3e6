/**
 * Loads the paths of the scribbles of older rounds in pages. The state of a video has them for the newest rounds only,
 * because they are most of its size.
 */
import { effect } from "@preact/signals";
import { call, HttpProblem } from "../api/http";
import { toastError } from "../parts/Toast";
import type { RoundInfo } from "../protocol";
import type { Store } from "../state/store";

const lacksPaths = (round: RoundInfo): boolean => round.scribbles.some(({ path }) => path.length === 0);

export function loadOlderRounds(store: Store): () => void {
  let loading = false;
  let ended = false;

  async function load(before: number | null): Promise<void> {
    const page = await call("GET", "/api/videos/{video_id}/rounds", {
      path: { video_id: store.id },
      ...(before !== null && { query: { before } }),
    });
    if (ended) return;
    const rounds = new Map(store.rounds.peek());
    for (const round of page.rounds) {
      const known = rounds.get(round.id);
      if (known && lacksPaths(known)) rounds.set(round.id, { ...known, scribbles: round.scribbles });
    }
    store.rounds.value = rounds;
    if (page.next !== null) await load(page.next);
  }

  const stop = effect(() => {
    const newest = [...store.rounds.value.values()].findLast(lacksPaths);
    if (loading || newest === undefined || store.connection.value !== "live") return;
    loading = true;
    // If the server is away, they are loaded when the connection is back.
    load(newest.id + 1)
      .catch((problem) => {
        const away = problem instanceof HttpProblem && problem.code === "offline";
        if (!away) toastError(problem);
      })
      .finally(() => {
        loading = false;
      });
  });
  return () => {
    ended = true;
    stop();
  };
}
