/** Says in a line that a part of a page could not be loaded, and tries again on request. Nothing if all is well. */
import type { Loaded } from "../api/load";
import { Button } from "../parts/Button";
import form from "./Form.module.css";

export interface ProblemLineProps {
  /** What is missing, as the beginning of a sentence: "The members". */
  what: string;
  loaded: Pick<Loaded<unknown>, "value" | "problem" | "reload">;
}

export function ProblemLine({ what, loaded: { value, problem, reload } }: ProblemLineProps) {
  if (value !== null || !problem) return null;
  return (
    <p class={`${form.problem} ${form.line}`} role="alert" data-testid="not-loaded">
      <span>{`${what} could not be loaded. ${problem.message}`}</span>
      <Button size="small" testid="not-loaded-retry" onClick={reload}>
        Try again
      </Button>
    </p>
  );
}
