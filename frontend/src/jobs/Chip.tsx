/** Short words in a pill: the state of a job, its due date, its priority. */
import type { ComponentChildren } from "preact";
import type { Job } from "../api/types";
import { plural } from "../format";
import css from "./Chip.module.css";
import { dueText, priorityText, standingOf, type Tone } from "./words";

export interface ChipProps {
  tone?: Tone;
  title?: string;
  testid?: string;
  children: ComponentChildren;
}

export function Chip({ tone = "plain", title, testid, children }: ChipProps) {
  return (
    <span class={`${css.chip} ${css[tone]}`} title={title} data-testid={testid}>
      {children}
    </span>
  );
}

export function JobStateChip({ job, testid }: { job: Pick<Job, "stage" | "state">; testid?: string }) {
  const { name, tone, full } = standingOf(job);
  return (
    <Chip tone={tone} title={full} {...(testid ? { testid } : {})}>
      <i class={css.dot} aria-hidden="true" />
      {name}
    </Chip>
  );
}

/** The due date of a job that somebody still has to work on; nothing for other jobs. */
export function DueChip({ job }: { job: Pick<Job, "due" | "stage" | "state"> }) {
  if (!job.due || job.state === "completed") return null;
  const { text, tone } = dueText(job.due);
  return (
    <Chip tone={tone} title={job.due}>
      {text}
    </Chip>
  );
}

export function PriorityChip({ priority }: { priority: number }) {
  const text = priorityText(priority);
  return text ? <Chip tone={priority > 0 ? "warn" : "plain"}>{text}</Chip> : null;
}

/** A figure with two digits, rounded down: one below a threshold must not look as if it had reached it. */
function floored(value: number): string {
  return (Math.floor(value * 100 + 1e-9) / 100).toFixed(2);
}

/** How a job that was checked came out, for reviewers: its J&F, and whether it is below the project's threshold. */
export function QualityChip({ job }: { job: Pick<Job, "jf" | "flagged"> }) {
  if (job.jf === null) return null;
  return (
    <Chip
      tone={job.flagged ? "bad" : "plain"}
      title={
        job.flagged
          ? "J&F against hidden ground truth is below the threshold of the project"
          : "J&F against ground truth"
      }
    >
      {job.flagged && "below threshold: "}J&F {floored(job.jf)}
    </Chip>
  );
}

/** The number of frames that were drawn for the reviewer of a job to look at. */
export function SampleChip({ job }: { job: Pick<Job, "sample"> }) {
  if (!job.sample?.length) return null;
  return (
    <Chip title={`Frames ${job.sample.join(", ")}`}>
      {plural(job.sample.length, "frame")} drawn to review
    </Chip>
  );
}
