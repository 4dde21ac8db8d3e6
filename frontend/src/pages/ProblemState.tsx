/** Shown in place of something that could not be loaded: offline, missing, forbidden or failed. */
import { CircleAlert, CloudOff, Lock, type LucideIcon, SearchX } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import type { HttpProblem } from "../api/http";
import { Button } from "../parts/Button";
import { EmptyState } from "../parts/EmptyState";

interface Shown {
  icon: LucideIcon;
  title: string;
  testid: string;
  /** Whether trying again may help. */
  again: boolean;
}

export function shownFor(problem: HttpProblem): Shown {
  if (problem.status === 0)
    return { icon: CloudOff, title: "No connection to the server", testid: "state-offline", again: true };
  if (problem.status === 404)
    return { icon: SearchX, title: "Not found", testid: "state-missing", again: false };
  if (problem.status === 403)
    return { icon: Lock, title: "Not for your role", testid: "state-forbidden", again: false };
  return { icon: CircleAlert, title: "This did not work", testid: "state-failed", again: true };
}

const EVERY_MS = 4000;

export function ProblemState({ problem, retry }: { problem: HttpProblem; retry: () => Promise<void> }) {
  const shown = shownFor(problem);
  const [busy, setBusy] = useState(false);

  // Tries again by itself, so that no click is needed when the server is back.
  useEffect(() => {
    if (problem.status !== 0) return;
    const timer = setInterval(retry, EVERY_MS);
    addEventListener("online", retry);
    return () => {
      clearInterval(timer);
      removeEventListener("online", retry);
    };
  }, [problem.status, retry]);

  const again = async () => {
    setBusy(true);
    await retry();
    setBusy(false);
  };
  return (
    <EmptyState
      icon={shown.icon}
      title={shown.title}
      testid={shown.testid}
      tone={shown.again ? "bad" : "plain"}
      action={
        shown.again ? (
          <Button testid="retry" busy={busy} onClick={again}>
            Try again
          </Button>
        ) : (
          <a href="/">Go to your projects</a>
        )
      }
    >
      {problem.message}
    </EmptyState>
  );
}
