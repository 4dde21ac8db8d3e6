/** How many frames of a job are accepted, as a thin bar and in words. */
import type { Job } from "../api/types";
import css from "./Accepted.module.css";

export function Accepted({ job }: { job: Pick<Job, "accepted" | "first" | "last"> }) {
  const total = job.last - job.first + 1;
  const text = `${job.accepted.toLocaleString("en")} of ${total.toLocaleString("en")} frames accepted`;
  return (
    <span class={css.accepted} title={text}>
      <span class={css.bar} aria-hidden="true">
        <i style={{ width: `${(100 * job.accepted) / total}%` }} />
      </span>
      <span class={css.text}>{text}</span>
    </span>
  );
}
