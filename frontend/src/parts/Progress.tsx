/** A progress bar. If `value` is null, the progress is not known. */
import css from "./Progress.module.css";

export interface ProgressProps {
  /** The part that is done, 0..1, or null. */
  value: number | null;
  /** What a screen reader announces. */
  label: string;
  testid: string;
  tone?: "accent" | "quiet" | "ok" | "bad";
}

export function Progress({ value, label, testid, tone = "accent" }: ProgressProps) {
  const percent = value === null ? null : Math.round(Math.min(1, Math.max(0, value)) * 100);
  return (
    <div
      class={`${css.bar} ${css[tone]}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent ?? undefined}
      data-testid={testid}
    >
      <i
        class={percent === null ? css.unknown : undefined}
        style={percent === null ? {} : { width: `${percent}%` }}
      />
    </div>
  );
}
