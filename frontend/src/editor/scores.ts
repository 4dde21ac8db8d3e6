/**
 * Loads J and F against ground truth when the video opens and each time a round was scored, for roles that may see
 * it.
 */
import { effect } from "@preact/signals";
import { callAll, HttpProblem } from "../api/http";
import { toastError } from "../parts/Toast";
import type { Store } from "../state/store";

export function watchScores(store: Store): () => void {
  let asked = 0;
  return effect(() => {
    store.scored.value;
    // The server names frames with ground truth only to roles that may see it.
    if (store.connection.value !== "live" || !store.video.value?.truth_frames.length) return;
    const number = ++asked;
    callAll("/api/videos/{video_id}/scores", { path: { video_id: store.id } }).then(
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
