/** Moves the job in hand from one stage or state to another, and goes to the next job. */
import { call, HttpProblem } from "../api/http";
import type { Job } from "../api/types";
import { addressOf } from "../jobs/words";
import { dismiss, toast, toastError } from "../parts/Toast";
import { go } from "../route";
import type { Store } from "../state/store";
import type { Studio } from "../studio/studio";

export type JobAction = Job["moves"][number];

const DONE: Partial<Record<JobAction, string>> = {
  accept: "The job is accepted.",
  reject: "The job is sent back, and its assignee is told.",
  reopen: "The job is open again.",
  retract: "The job is in review again.",
};

/** The action that takes a move back, where there is one. */
const BACK: Partial<Record<JobAction, JobAction>> = {
  submit: "reopen",
  accept: "retract",
  reject: "retract",
};

/** Replaces a job by what the server has answered. */
export function takeJob(store: Store, job: Job): void {
  store.jobs.value = store.jobs.peek().map((other) => (other.id === job.id ? job : other));
}

let before: Promise<unknown> = Promise.resolve();

/**
 * Moves a job, after the moves that this person has asked for before, so that none of them names an old edition. Returns
 * whether it was moved; if not, the person was told why.
 */
export function moveJob(studio: Studio, job: Job, action: JobAction, note = ""): Promise<boolean> {
  const current = () => studio.store.jobs.peek().find(({ id }) => id === job.id) ?? job;
  const moved = before.then(() => move(studio, current(), action, note));
  before = moved;
  return moved;
}

/** Leaves the reviewer's mode: the job is decided, so there is nothing left to review. */
export function endReview(store: Store): void {
  store.review.value = null;
  store.selection.value = null;
  store.playing.value = false;
}

async function move(studio: Studio, job: Job, action: JobAction, note: string): Promise<boolean> {
  const { store } = studio;
  try {
    const moved = await call("POST", "/api/jobs/{job_id}/moves", {
      path: { job_id: job.id },
      body: { action, edition: job.edition, note },
    });
    store.wantedJob.value ??= moved.id; // It stays in hand, although it may be the turn of somebody else now.
    takeJob(store, moved);
    if (action === "accept" || action === "reject") endReview(store);
    tell(studio, moved, action);
    return true;
  } catch (error) {
    if (error instanceof HttpProblem && error.body.job) takeJob(store, error.body.job as Job);
    toastError(error);
    return false;
  }
}

function tell(studio: Studio, job: Job, action: JobAction): void {
  const text = action === "submit" ? submitted(job) : DONE[action];
  if (!text) return;
  const back = BACK[action];
  const undo = back && job.moves.includes(back);
  shown = toast({
    text,
    ...(undo ? { action: { name: "Undo", perform: () => void moveJob(studio, job, back) } } : {}),
  });
}

let shown: number | null = null; // the message about the latest move

/** Takes the message about the latest move away. It does not name its job, so it must not stand over another one. */
export function dismissMoved(): void {
  if (shown !== null) dismiss(shown);
  shown = null;
}

function submitted(job: Job): string {
  return job.stage === "validation" ? "The job is submitted for review." : "The job is completed.";
}

/** Opens the job after this one in the person's queue, after the last one the first, or says that there is no other. */
export async function goToNextJob({ store }: Studio): Promise<void> {
  const current = store.job.peek()?.id;
  await before; // Otherwise the queue could still have a job that is being submitted.
  try {
    const work = await call("GET", "/api/me/work");
    const queue = [...work.jobs, ...work.reviews];
    const after = queue.findIndex(({ id }) => id === current) + 1; // 0 if the job has left the queue.
    const next = [...queue.slice(after), ...queue.slice(0, after)].find(({ id }) => id !== current);
    if (next) go(addressOf(next));
    else
      toast({
        text: "No other job waits for you.",
        tone: "info",
        action: { name: "My work", perform: () => go("/work") },
      });
  } catch (error) {
    toastError(error);
  }
}
