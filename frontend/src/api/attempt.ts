/** Sends what a form says: the form is busy meanwhile, and shows the sentence of a refusal. */
import { useState } from "preact/hooks";
import { asProblem } from "./load";

export interface Attempt {
  busy: boolean;
  /** Why the last try was refused; empty if it was not. */
  problem: string;
  /** Resolves to whether it worked. */
  attempt: (act: () => Promise<unknown>) => Promise<boolean>;
}

export function useAttempt(): Attempt {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const attempt = async (act: () => Promise<unknown>) => {
    setBusy(true);
    setProblem("");
    try {
      await act();
      return true;
    } catch (error) {
      setProblem(asProblem(error).message);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, attempt };
}
