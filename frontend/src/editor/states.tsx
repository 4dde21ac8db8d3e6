/** What the page shows while the studio opens, and if it cannot be opened. */
import { Film, LogIn, RefreshCw, SearchX, ShieldX } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import { call } from "../api/http";
import { useLoaded } from "../api/load";
import { me } from "../api/session";
import type { Video } from "../api/types";
import { Button } from "../parts/Button";
import { EmptyState } from "../parts/EmptyState";
import { Progress } from "../parts/Progress";
import { useStudio } from "../studio/context";
import css from "./StudioPage.module.css";

const SLOW_AFTER = 4000; // ms

export function Opening() {
  const { store, socket } = useStudio();
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), SLOW_AFTER);
    return () => clearTimeout(timer);
  }, []);
  const lost = store.connection.value === "lost";
  return (
    <main class={css.opening} data-testid="studio-opening" aria-busy="true">
      <div>
        <Progress value={null} label="Opening the video" testid="opening-progress" />
      </div>
      <span role="status">
        {lost
          ? "The server cannot be reached. Trying again…"
          : slow
            ? "Still opening the video: the server takes its time."
            : "Opening the video…"}
      </span>
      {lost && (
        <Button testid="opening-retry" icon={RefreshCw} onClick={socket.now}>
          Try now
        </Button>
      )}
    </main>
  );
}

const LOOKS = {
  "4400": { icon: RefreshCw, title: "Maskwright was updated" },
  "4401": { icon: LogIn, title: "You are signed out" },
  "4403": { icon: ShieldX, title: "You may not open this video" },
  "4404": { icon: SearchX, title: "There is no such video" },
} as const;

export function ProblemPage({ problem }: { problem: { code: string; text: string } }) {
  const look = LOOKS[problem.code as keyof typeof LOOKS] ?? LOOKS["4404"];
  return (
    <main class={css.problem}>
      <EmptyState
        icon={look.icon}
        title={look.title}
        testid={`state-${problem.code}`}
        tone="bad"
        action={<Way code={problem.code} />}
      >
        {problem.text}
      </EmptyState>
    </main>
  );
}

function Way({ code }: { code: string }) {
  if (code === "4400")
    return (
      <Button tone="accent" testid="problem-reload" icon={RefreshCw} onClick={() => location.reload()}>
        Reload
      </Button>
    );
  if (code === "4401")
    return (
      <Button
        tone="accent"
        testid="problem-sign-in"
        icon={LogIn}
        onClick={() => {
          me.value = null; // The page then shows the sign-in form, and returns to this address afterwards.
        }}
      >
        Sign in
      </Button>
    );
  return (
    <a href="/" data-testid="problem-home">
      Go to your projects
    </a>
  );
}

/** Shown if the import has not ended, or ended without frames. */
export function NoFrames({ project }: { project: number }) {
  const { store } = useStudio();
  const video = useLoaded(`video ${store.id}`, () =>
    call("GET", "/api/videos/{video_id}", { path: { video_id: store.id } }),
  ).value;
  const failed = video?.state === "failed";
  return (
    <main class={css.problem}>
      <EmptyState
        icon={Film}
        title={failed ? "The import of this video failed" : "This video has no frames yet"}
        {...(failed && { tone: "bad" as const })}
        testid="state-no-frames"
        action={
          <a href={`/projects/${project}`} data-testid="no-frames-project">
            Go to its project
          </a>
        }
      >
        {whyNoFrames(video)}
      </EmptyState>
    </main>
  );
}

export function whyNoFrames(video: Pick<Video, "state" | "error"> | null): string {
  if (video?.state === "failed") return video.error || "The reason is not known; the server's log has more.";
  if (video?.state === "cancelled") return "Its import was cancelled.";
  return "Its import has not ended. The project page shows how far it is.";
}
