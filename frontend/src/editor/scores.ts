/**
 * Loads J and F against ground truth when the video opens and each time a round was scored, for roles that may see
 * it: those of the rounds in the list, which starts with the newest ones, of the head and of the round in view.
 */
import { computed, effect, type ReadonlySignal } from "@preact/signals";
import { callPages, HttpProblem } from "../api/http";
import { toastError } from "../parts/Toast";
import type { RoundScores } from "../protocol";
import type { Store } from "../state/store";

const SCORES = 50; // in a page

export function watchScores(store: Store): () => void {
  const oldest = computed(() => oldestWanted(store));
  // The server names frames with ground truth only to roles that may see it.
  const wanted = computed(
    () => store.connection.value === "live" && !!store.video.value?.truth_frames.length,
  );
  return effect(() => {
    store.scored.value;
    return wanted.value ? readScores(store, oldest) : undefined;
  });
}

/** Reads scores from the newest down to the round `oldest`, and goes on when that falls. Returns a function that stops it. */
function readScores(store: Store, oldest: ReadonlySignal<number>): () => void {
  const given = { path: { video_id: store.id }, query: { reverse: true, limit: SCORES } };
  const fromNewest = () => callPages("/api/videos/{video_id}/scores", given);
  let pages = fromNewest();
  const scores = new Map<number, RoundScores>();
  let reached = Number.POSITIVE_INFINITY; // the oldest round down to which all scores are here
  let busy = false;
  let stopped = false;
  const read = async (): Promise<void> => {
    while (oldest.peek() < reached) {
      const { value: page } = await pages.next();
      if (stopped) return;
      for (const score of page ?? []) scores.set(score.round, score);
      reached = page?.at(-1)?.round ?? 0;
    }
    busy = false;
    store.scores.value = new Map(scores);
  };
  const end = effect(() => {
    if (oldest.value >= reached || busy) return;
    busy = true;
    read().catch((problem) => {
      [pages, reached, busy] = [fromNewest(), Number.POSITIVE_INFINITY, false];
      const away = problem instanceof HttpProblem && problem.code === "offline";
      if (!away && !stopped) toastError(problem); // The scores are loaded again when the connection is back.
    });
  });
  return () => {
    stopped = true;
    end();
  };
}

/** Returns the oldest round whose score is wanted. */
function oldestWanted(store: Store): number {
  const older = store.older.value;
  if (!older) return 0;
  const shown = [store.head.value, store.shownRound.value].filter((id) => id !== null);
  return Math.min(older.before, ...shown);
}
