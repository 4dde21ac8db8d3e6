/** Which of a video's jobs the person works on, and which frames are outside of it. */
import type { Job } from "../api/types";
import type { Range } from "./ranges";

/**
 * Returns the job that the address names. Without one it is the person's own: one to annotate before one to review,
 * and one that is open before one that has ended. Without an own one it is a job that waits for any reviewer, if the
 * person may review it. `you` is the id of the person.
 */
export function jobInHand(jobs: readonly Job[], wanted: number | null, you: number | null): Job | null {
  const named = jobs.find((job) => job.id === wanted);
  if (named) return named;
  const own = jobs.filter(
    ({ assignee, reviewer }) => you !== null && [assignee?.id, reviewer?.id].includes(you),
  );
  const place = ({ assignee, stage, state }: Job): number => {
    if (assignee?.id === you && stage === "annotation" && state !== "completed") return 0;
    return stage === "validation" ? 1 : 2;
  };
  const [first] = own.sort((a, b) => place(a) - place(b) || a.position - b.position);
  const toReview = ({ stage, reviewer, moves }: Job) =>
    stage === "validation" && reviewer === null && moves.includes("accept");
  return first ?? jobs.find(toReview) ?? null;
}

/** Returns the frames outside of a job; none if the job is the whole video. `frames` is the number of frames. */
export function outsideOf(job: Pick<Job, "first" | "last"> | null, frames: number): Range[] {
  if (!job) return [];
  const ranges: Range[] = [];
  if (job.first > 0) ranges.push([0, job.first - 1]);
  if (job.last < frames - 1) ranges.push([job.last + 1, frames - 1]);
  return ranges;
}
