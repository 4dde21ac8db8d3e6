/** Loads the jobs of the open video, and loads them again when the server says that they changed. */
import { effect, untracked } from "@preact/signals";
import { dismissMoved } from "../actions/jobs";
import { readTarget } from "../actions/links";
import { seek } from "../actions/playback";
import { call } from "../api/http";
import { toastError } from "../parts/Toast";
import { query } from "../route";
import type { Studio } from "../studio/studio";

const MOST = 500; // the most that one call answers; a video is hardly cut into more

export function watchJobs(studio: Studio): () => void {
  const { store } = studio;
  let ended = false;
  let asked = 0;
  const load = async () => {
    asked += 1;
    const mine = asked;
    try {
      const { jobs } = await call("GET", "/api/jobs", { query: { video: store.id, limit: MOST } });
      if (!ended && mine === asked) store.jobs.value = jobs;
    } catch (error) {
      if (!ended && store.connection.peek() === "live") toastError(error);
    }
  };
  const ends = [
    effect(() => {
      store.jobsChanged.value;
      if (store.connection.value === "live") untracked(load);
    }),
    effect(() => {
      const named = Number(query.value.get("job"));
      store.wantedJob.value = Number.isInteger(named) && named > 0 ? named : null;
    }),
    goToJob(studio),
    endOfOther(studio),
    dismissMoved,
  ];
  return () => {
    ended = true;
    for (const end of ends) end();
  };
}

/**
 * Ends the review when another job is taken in hand, because its places are those of the job before, and dismisses the
 * message about a move of that job.
 */
function endOfOther({ store }: Studio): () => void {
  let last = store.job.peek()?.id;
  return effect(() => {
    const id = store.job.value?.id;
    if (id === last) return;
    last = id;
    untracked(dismissMoved);
    if (!store.review.peek()) return;
    store.review.value = null;
    store.selection.value = null;
    store.playing.value = false;
  });
}

/**
 * Goes into the range of a job when it is taken in hand and the frame in view is outside of it. If the address names a
 * frame, the page is opened there, whatever the range of the first job.
 */
function goToJob(studio: Studio): () => void {
  const { store } = studio;
  let last: number | null = null;
  return effect(() => {
    const job = store.job.value;
    if (!job || !store.video.value || job.id === last) return;
    const opened = last === null;
    last = job.id;
    if (opened && readTarget(location.hash).frame !== null) return;
    const frame = store.frame.peek();
    if (frame < job.first || frame > job.last) untracked(() => seek(studio, job.first));
  });
}
