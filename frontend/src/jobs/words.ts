/** What the page calls the stages and states of jobs, and how urgent a due date is. */
import type { Job } from "../api/types";

export type Tone = "plain" | "busy" | "ok" | "warn" | "bad";

export interface Standing {
  name: string;
  tone: Tone;
  /** Stage and state in full, for the tooltip. */
  full: string;
}

const NAMES: Record<string, [string, Tone]> = {
  "annotation/new": ["New", "plain"],
  "annotation/in_progress": ["In progress", "busy"],
  "annotation/completed": ["Completed", "ok"],
  "annotation/rejected": ["Rejected", "bad"],
  "validation/new": ["To review", "warn"],
  "validation/in_progress": ["In review", "warn"],
  "acceptance/completed": ["Accepted", "ok"],
};

export function standingOf({ stage, state }: Pick<Job, "stage" | "state">): Standing {
  const full = `Stage ${stage}, state ${state.replace("_", " ")}`;
  const [name, tone] = NAMES[`${stage}/${state}`] ?? [full, "plain"];
  return { name, tone, full };
}

/** Returns what the page calls a stage and a state such as "validation new"; null if the text names none. */
export function placeName(text: unknown): string | null {
  return NAMES[String(text).replace(" ", "/")]?.[0] ?? null;
}

/** Whether the annotator still has to work on the job. */
export function isToAnnotate({ stage, state }: Pick<Job, "stage" | "state">): boolean {
  return stage === "annotation" && state !== "completed";
}

/** Whether the job waits for its reviewer, or is with them. */
export function isToReview({ stage }: Pick<Job, "stage">): boolean {
  return stage === "validation";
}

/** The frames of a job: "frames 0 to 95", or "all 96 frames". */
export function rangeOf({ first, last, video_frames }: Pick<Job, "first" | "last" | "video_frames">): string {
  const count = last - first + 1;
  if (count === video_frames) return count === 1 ? "1 frame" : `all ${count.toLocaleString("en")} frames`;
  return `frames ${first.toLocaleString("en")} to ${last.toLocaleString("en")}`;
}

/** The address at which a job is opened. */
export function addressOf(job: Pick<Job, "id" | "video">): string {
  return `/videos/${job.video}?job=${job.id}`;
}

const DAY_MS = 86_400_000;

export interface DueText {
  text: string;
  tone: Tone;
}

/** Says a due date as people do: "due today", "3 days late", "due Fri 5 Dec". `today` is YYYY-MM-DD. */
export function dueText(due: string, today: string = dayOf(new Date())): DueText {
  const days = Math.round((Date.parse(due) - Date.parse(today)) / DAY_MS);
  if (days < 0) return { text: days === -1 ? "1 day late" : `${-days} days late`, tone: "bad" };
  if (days === 0) return { text: "due today", tone: "warn" };
  if (days === 1) return { text: "due tomorrow", tone: "warn" };
  const date = new Date(`${due}T12:00:00`);
  const text = date.toLocaleDateString("en", { weekday: "short", day: "numeric", month: "short" });
  return { text: `due ${text}`, tone: "plain" };
}

/** Returns the day of a date in the person's time zone, as YYYY-MM-DD. */
export function dayOf(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

export function priorityText(priority: number): string {
  if (priority === 0) return "";
  return priority > 0 ? `priority ${priority}` : `low priority ${-priority}`;
}
