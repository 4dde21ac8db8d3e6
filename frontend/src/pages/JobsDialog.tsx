/** The jobs of one video: who has them, when they are due, and how the video is cut into them. For managers. */
import { Scissors } from "lucide-preact";
import { useRef, useState } from "preact/hooks";
import { call, HttpProblem } from "../api/http";
import { asProblem, type Loaded, useLoaded } from "../api/load";
import type { Job, Member } from "../api/types";
import { plural } from "../format";
import { JobStateChip, QualityChip } from "../jobs/Chip";
import { addressOf, rangeOf } from "../jobs/words";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { SelectField, TextField } from "../parts/Field";
import { toast, toastError } from "../parts/Toast";
import { useDraft } from "./draft";
import css from "./JobsDialog.module.css";

export interface JobsDialogProps {
  video: { id: number; name: string; frame_count: number };
  members: readonly Member[];
  onClose: () => void;
  /** Called after the jobs changed. */
  onChanged: () => void;
}

type Change = Partial<Pick<Job, "priority" | "due" | "instructions">> & {
  assignee?: number | null;
  reviewer?: number | null;
};

export function JobsDialog({ video, members, onClose, onChanged }: JobsDialogProps) {
  const loaded = useLoaded(`jobs of video ${video.id}`, async () => {
    const { jobs } = await call("GET", "/api/jobs", { query: { video: video.id, limit: 500 } });
    return jobs;
  });
  const jobs = loaded.value;
  const editions = useRef(new Map<number, number>()); // by job: the newest that the server has told
  const turns = useRef(new Map<number, Promise<void>>()); // by job: ends when its last change was answered
  const take = (job: Job) => {
    editions.current.set(job.id, job.edition);
    loaded.set((old) => old.map((other) => (other.id === job.id ? job : other)));
  };
  const send = async (job: Job, changed: Change) => {
    const edition = Math.max(job.edition, editions.current.get(job.id) ?? 0);
    try {
      const path = { job_id: job.id };
      take(await call("PATCH", "/api/jobs/{job_id}", { path, body: { edition, ...changed } }));
      onChanged();
    } catch (error) {
      const now = error instanceof HttpProblem ? (error.body.job as Job | undefined) : undefined;
      if (now) take(now);
      else loaded.set((old) => old.map((other) => (other.id === job.id ? { ...other } : other)));
      toastError(error);
    }
  };
  /** Changes a job after the changes of it that were asked for before, so that none names an old edition. */
  const change = (job: Job, changed: Change): Promise<void> => {
    const turn = (turns.current.get(job.id) ?? Promise.resolve()).then(() => send(job, changed));
    turns.current.set(job.id, turn);
    return turn;
  };
  return (
    <Dialog
      title={`Jobs of ${video.name}`}
      size="wide"
      testid="jobs-dialog"
      onClose={onClose}
      footer={
        <Button testid="jobs-done" tone="accent" onClick={onClose}>
          Done
        </Button>
      }
    >
      {!jobs && !loaded.problem && <p class={css.note}>Loading…</p>}
      {loaded.problem && <p class={css.problem}>{loaded.problem.message}</p>}
      {jobs && (
        <ul class={css.jobs} data-testid="jobs-list">
          {jobs.map((job) => (
            <Row key={job.id} job={job} members={members} onChange={(changed) => change(job, changed)} />
          ))}
        </ul>
      )}
      {jobs && <Cut video={video} jobs={jobs} loaded={loaded} onChanged={onChanged} />}
    </Dialog>
  );
}

function Row({
  job,
  members,
  onChange,
}: {
  job: Job;
  members: readonly Member[];
  onChange: (changed: Change) => Promise<void>;
}) {
  const [instructions, setInstructions] = useState(job.instructions);
  const [open, setOpen] = useState(Boolean(job.instructions));
  const due = useDraft(job.due ?? ""); // While a date is typed, it is another date after each digit.
  const sendDue = async () => {
    const sent = due.value;
    if (due.dirty) await onChange({ due: sent || null });
    due.done(sent);
  };
  const person = (value: string) => (value ? Number(value) : null);
  return (
    <li class={css.job} data-testid={`jobs-row-${job.id}`}>
      <div class={css.head}>
        <a href={addressOf(job)} class={css.range}>
          {rangeOf(job)}
        </a>
        <JobStateChip job={job} />
        <QualityChip job={job} />
        <span class={css.grow} />
        {!open && (
          <Button size="small" tone="quiet" testid={`jobs-instruct-${job.id}`} onClick={() => setOpen(true)}>
            Add instructions
          </Button>
        )}
      </div>
      <div class={css.fields}>
        <SelectField
          label="Assignee"
          testid={`jobs-assignee-${job.id}`}
          value={String(job.assignee?.id ?? "")}
          options={people(members, "annotator", job.assignee, "Nobody")}
          onChange={(value) => onChange({ assignee: person(value) })}
        />
        <SelectField
          label="Reviewer"
          testid={`jobs-reviewer-${job.id}`}
          value={String(job.reviewer?.id ?? "")}
          options={people(members, "reviewer", job.reviewer, "Any reviewer")}
          onChange={(value) => onChange({ reviewer: person(value) })}
        />
        <TextField
          label="Due"
          type="date"
          testid={`jobs-due-${job.id}`}
          value={due.value}
          onInput={due.set}
          onBlur={sendDue}
          onEnter={sendDue}
        />
        <SelectField
          label="Priority"
          testid={`jobs-priority-${job.id}`}
          value={String(job.priority)}
          options={prioritiesWith(job.priority)}
          onChange={(value) => onChange({ priority: Number(value) })}
        />
      </div>
      {open && (
        <TextField
          label="Instructions"
          rows={2}
          testid={`jobs-instructions-${job.id}`}
          value={instructions}
          maxLength={20_000}
          onInput={setInstructions}
          onBlur={() => {
            if (instructions !== job.instructions) onChange({ instructions });
          }}
        />
      )}
    </li>
  );
}

const ENOUGH = {
  annotator: ["annotator", "reviewer", "manager", "owner"],
  reviewer: ["reviewer", "manager", "owner"],
};

/** Returns the members who may be this, and whoever it is now. */
export function people(
  members: readonly Member[],
  as: keyof typeof ENOUGH,
  now: { id: number; name: string } | null,
  none: string,
) {
  const able = members.filter(({ role }) => ENOUGH[as].includes(role)).map(({ user }) => user);
  const all = now && !able.some(({ id }) => id === now.id) ? [...able, now] : able;
  return [{ value: "", name: none }, ...all.map(({ id, name }) => ({ value: String(id), name }))];
}

const PRIORITIES = [
  { value: "2", name: "Urgent" },
  { value: "1", name: "High" },
  { value: "0", name: "Usual" },
  { value: "-1", name: "Low" },
];

function prioritiesWith(now: number) {
  if (PRIORITIES.some(({ value }) => value === String(now))) return PRIORITIES;
  return [...PRIORITIES, { value: String(now), name: String(now) }];
}

interface CutProps {
  video: JobsDialogProps["video"];
  jobs: readonly Job[];
  loaded: Loaded<Job[]>;
  onChanged: () => void;
}

/** Cuts the video into jobs, as long as nobody has begun one. */
function Cut({ video, jobs, loaded, onChanged }: CutProps) {
  const [length, setLength] = useState("100");
  const [overlap, setOverlap] = useState("0");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const begun = jobs.some((job) => job.stage !== "annotation" || job.state !== "new");
  if (video.frame_count < 2) return null;
  if (begun) return <p class={css.note}>A job has begun, so the video is not cut any more.</p>;
  const cut = async (how: { length: number } | { at_cuts: true }) => {
    setBusy(true);
    setProblem("");
    try {
      const made = await call("POST", "/api/videos/{video_id}/jobs", {
        path: { video_id: video.id },
        body: { at_cuts: false, ...how, overlap: Number(overlap) || 0 },
      });
      loaded.set(made);
      onChanged();
      toast({ text: `${video.name} has ${plural(made.length, "job")} now.` });
    } catch (error) {
      setProblem(asProblem(error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class={css.cut} aria-label="Cut the video into jobs">
      <TextField
        label="Frames of a job"
        type="number"
        testid="jobs-cut-length"
        value={length}
        onInput={setLength}
      />
      <TextField
        label="Overlap"
        type="number"
        testid="jobs-cut-overlap"
        value={overlap}
        onInput={setOverlap}
      />
      <Button
        icon={Scissors}
        testid="jobs-cut"
        busy={busy}
        disabled={!(Number(length) > 0)}
        onClick={() => cut({ length: Number(length) })}
      >
        Cut into pieces
      </Button>
      <Button testid="jobs-cut-scenes" busy={busy} onClick={() => cut({ at_cuts: true })}>
        Cut at scene cuts
      </Button>
      {problem && (
        <p class={css.problem} role="alert" data-testid="jobs-cut-problem">
          {problem}
        </p>
      )}
    </section>
  );
}
