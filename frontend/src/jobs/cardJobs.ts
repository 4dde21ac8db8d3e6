/** What the jobs of a video are in short, for its card and its row in a table. */
import type { CardJob } from "../api/types";

/** Returns the job that a card shows: the first one that is not accepted, else the last one. Null if there is none. */
export function firstOpen(jobs: readonly CardJob[]): CardJob | null {
  return jobs.find((job) => job.stage !== "acceptance") ?? jobs.at(-1) ?? null;
}

/** Returns "2 of 3 jobs accepted", or nothing where there is one job. */
export function severalJobs(jobs: readonly CardJob[]): string {
  if (jobs.length < 2) return "";
  const accepted = jobs.filter((job) => job.stage === "acceptance").length;
  return `${accepted} of ${jobs.length} jobs accepted`;
}

/** Returns the people who have jobs of a video, each once. */
export function peopleOf(jobs: readonly CardJob[]): { id: number; name: string }[] {
  const people = new Map<number, { id: number; name: string }>();
  for (const { assignee } of jobs) if (assignee) people.set(assignee.id, assignee);
  return [...people.values()];
}
