/** The uploads: progress of each file, and buttons to pause, resume and cancel. */
import { Pause, Play, RotateCcw, X } from "lucide-preact";
import { useRef } from "preact/hooks";
import { bytes, remaining } from "../format";
import { FramedList } from "../parts/FramedList";
import { IconButton } from "../parts/IconButton";
import { Progress } from "../parts/Progress";
import { toastError } from "../parts/Toast";
import { cancel, enqueue, type Job, jobs, pause, resume } from "../uploads/queue";
import css from "./UploadList.module.css";

export function UploadList({ project }: { project: number }) {
  const mine = jobs.value.filter((job) => job.project === project);
  if (!mine.length) return null;
  return (
    <FramedList class={css.uploads} testid="uploads" label="Uploads">
      {mine.map((job) => (
        <Row key={job.key} job={job} />
      ))}
    </FramedList>
  );
}

/** Returns the sentence under the name of the file. */
export function describe(job: Job): string {
  const there = `${bytes(job.received)} of ${bytes(job.size)}`;
  const percent = job.size ? Math.floor((job.received / job.size) * 100) : 0;
  switch (job.state) {
    case "waiting":
      return "Waiting for its turn";
    case "sending": {
      const speed = job.bytesPerSecond;
      if (!speed) return there;
      return `${there} · ${bytes(speed)}/s · ${remaining((job.size - job.received) / speed)} left`;
    }
    case "paused":
      return `Paused at ${there}`;
    case "broken":
      return `${job.text} It goes on by itself; ${there} have arrived.`;
    case "missing":
      return `${percent} % have arrived. Drop the same file again, and it goes on from there.`;
    case "refused":
      return job.text;
  }
}

function Row({ job }: { job: Job }) {
  const { key, state } = job;
  const running = state === "sending" || state === "waiting" || state === "broken";
  return (
    <li class={`${css.row} ${css[state] ?? ""}`} data-testid={`upload-${job.name}`} data-state={state}>
      <div class={css.text}>
        <b>{job.name}</b>
        <span role={state === "refused" ? "alert" : undefined} data-testid={`upload-text-${job.name}`}>
          {describe(job)}
        </span>
        {state !== "refused" && (
          <Progress
            value={job.size ? job.received / job.size : 0}
            label={`Upload of ${job.name}`}
            testid={`upload-progress-${job.name}`}
            tone={state === "sending" ? "accent" : "quiet"}
          />
        )}
      </div>
      {running && (
        <IconButton
          icon={Pause}
          label={`Pause ${job.name}`}
          testid={`upload-pause-${job.name}`}
          size="small"
          onClick={() => pause(key)}
        />
      )}
      {(state === "paused" || state === "broken") && (
        <IconButton
          icon={Play}
          label={`Go on with ${job.name}`}
          testid={`upload-resume-${job.name}`}
          size="small"
          onClick={() => resume(key)}
        />
      )}
      {state === "refused" && job.file && (
        <IconButton
          icon={RotateCcw}
          label={`Try ${job.name} again`}
          testid={`upload-retry-${job.name}`}
          size="small"
          onClick={() => resume(key)}
        />
      )}
      {state === "missing" && <GiveAgain job={job} />}
      <IconButton
        icon={X}
        label={state === "refused" ? `Dismiss ${job.name}` : `Cancel ${job.name}`}
        testid={`upload-cancel-${job.name}`}
        size="small"
        tone="bad"
        onClick={() => cancel(key).catch(toastError)}
      />
    </li>
  );
}

/** Picks the file again, for people who cannot drop it. Another file becomes a new upload. */
function GiveAgain({ job }: { job: Job }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        hidden
        data-testid={`upload-file-${job.name}`}
        onChange={(event) => {
          const { files } = event.currentTarget;
          if (files) enqueue(job.project, files);
        }}
      />
      <IconButton
        icon={Play}
        label={`Pick ${job.name} again to go on`}
        testid={`upload-again-${job.name}`}
        size="small"
        onClick={() => input.current?.click()}
      />
    </>
  );
}
