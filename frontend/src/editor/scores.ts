/** J and F against ground truth, for those who may see it: loaded when the video opens and when a round was scored. */
import { effect } from "@preact/signals";
import { call, HttpProblem } from "../api/http";
import { toastError } from "../parts/Toast";
import type { Store } from "../state/store";

export function watchScores(store: Store): () => void {
  let asked = 0;
  return effect(() => {
    store.scored.value;
    // The frames with truth are told only to those who may see it.
    if (store.connection.value !== "live" || !store.video.value?.truth_frames.length) return;
    const number = ++asked;
    call("GET", "/api/videos/{video_id}/scores", { path: { video_id: store.id } }).then(
      (scores) => {
        if (number === asked) store.scores.value = new Map(scores.map((one) => [one.round, one]));
      },
      (problem) => {
        const away = problem instanceof HttpProblem && problem.code === "offline";
        if (!away) toastError(problem); // when the connection is back, they are asked for again
      },
    );
  });
}
