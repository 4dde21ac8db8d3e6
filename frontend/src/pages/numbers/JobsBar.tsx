/** The progress of a project: a bar with its jobs by state, and how many of its frames are accepted. */
import type { Progress } from "../../api/types";
import { plural } from "../../format";
import { standingOf } from "../../jobs/words";
import css from "./JobsBar.module.css";

const TONES = {
  plain: "--line-strong",
  busy: "--busy-fill",
  ok: "--ok-fill",
  warn: "--warn-fill",
  bad: "--bad-fill",
} as const;
const ORDER = [
  "acceptance/completed",
  "annotation/completed",
  "validation/in_progress",
  "validation/new",
  "annotation/rejected",
  "annotation/in_progress",
  "annotation/new",
];

export function jobsIn(progress: Progress): number {
  return Object.values(progress.jobs).reduce((sum, count) => sum + count, 0);
}

export function JobsBar({ progress, testid }: { progress: Progress; testid: string }) {
  const total = jobsIn(progress);
  if (!total) return null;
  const parts = ORDER.filter((key) => progress.jobs[key]).map((key) => {
    const [stage, state] = key.split("/") as [never, never];
    return { key, count: progress.jobs[key] ?? 0, ...standingOf({ stage, state }) };
  });
  return (
    <section class={css.jobs} aria-label="Jobs by state" data-testid={testid}>
      <div class={css.bar} aria-hidden="true">
        {parts.map(({ key, count, tone }) => (
          <i key={key} style={{ width: `${(100 * count) / total}%`, background: `var(${TONES[tone]})` }} />
        ))}
      </div>
      <ul>
        {parts.map(({ key, count, name, tone }) => (
          <li key={key}>
            <i style={{ background: `var(${TONES[tone]})` }} />
            {name} <b>{count.toLocaleString("en")}</b>
          </li>
        ))}
        <li class={css.frames}>
          {progress.accepted_frames.toLocaleString("en")} of {plural(progress.frames, "frame")} accepted
          {progress.late > 0 && ` · ${plural(progress.late, "job")} late`}
        </li>
      </ul>
    </section>
  );
}
