/**
 * Loads J and F against ground truth when the video opens and each time a round was scored, for roles that may see
 * it: those of the rounds in the list, which starts with the newest ones, of the head and of the round in view.
 */
import { computed, effect } from "@preact/signals";
import { callUntil, HttpProblem } from "../api/http";
import { toastError } from "../parts/Toast";
import type { RoundScores } from "../protocol";
import type { Store } from "../state/store";

const SCORES = 50; // in a page

export function watchScores(store: Store): () => void {
  let asked = 0;
  const oldest = computed(() => oldestWanted(store));
  return effect(() => {
    store.scored.value;
    // The server names frames with ground truth only to roles that may see it.
    if (store.connection.value !== "live" || !store.video.value?.truth_frames.length) return;
    const number = ++asked;
    const least = oldest.value;
    const query = { reverse: true, limit: SCORES };
    const reaches = (scores: readonly RoundScores[]): boolean => (scores.at(-1)?.round ?? 0) <= least;
    const given = { path: { video_id: store.id }, query };
    callUntil("/api/videos/{video_id}/scores", reaches, given).then(
      (scores) => {
        if (number === asked) store.scores.value = new Map(scores.map((score) => [score.round, score]));
      },
      (problem) => {
        const away = problem instanceof HttpProblem && problem.code === "offline";
        if (!away) toastError(problem); // The scores are loaded again when the connection is back.
      },
    );
  });
}

/**
 * Returns the oldest round whose score is wanted. Below the list it falls in steps, because each step loads all scores
 * again, and each undo moves the head.
 */
function oldestWanted(store: Store): number {
  const older = store.older.value;
  if (!older) return 0;
  const shown = [store.head.value, store.shownRound.value].filter((id) => id !== null);
  const least = Math.min(older.before, ...shown);
  return least < older.before ? least - (least % SCORES) : least;
}
