/** Consensus on a job: several people annotate copies of it, their agreement is computed, and the copies are merged. */
import { useEffect, useState } from "preact/hooks";
import { type Attempt, useAttempt } from "../../api/attempt";
import { call } from "../../api/http";
import { type Loaded, useLoaded } from "../../api/load";
import type { Consensus, Job, Member } from "../../api/types";
import { JobStateChip } from "../../jobs/Chip";
import { Avatar } from "../../parts/Avatar";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { FramedList, RowText } from "../../parts/FramedList";
import form from "../Form.module.css";
import { annotatorsOf, PeopleChoice } from "../PeopleChoice";
import css from "./ConsensusDialog.module.css";

/** The pause between two looks while a worker computes. */
const EVERY_MS = 1500;

export interface ConsensusDialogProps {
  job: Job;
  members: readonly Member[];
  onClose: () => void;
  /** Called after the job was given to several people. */
  onAsked: () => void;
}

export function ConsensusDialog({ job, members, onClose, onAsked }: ConsensusDialogProps) {
  const path = { job_id: job.id };
  const loaded = useLoaded(`consensus ${job.id}`, () =>
    call("GET", "/api/jobs/{job_id}/consensus", { path }),
  );
  const { value, problem, reload } = loaded;
  const computing = Boolean(value?.computing);
  useEffect(() => {
    if (!computing) return;
    const timer = setInterval(reload, EVERY_MS);
    return () => clearInterval(timer);
  }, [computing, reload]);
  const none = !value && problem?.status === 404;
  return (
    <Dialog title={`Consensus on ${job.video_name}`} testid="consensus-dialog" onClose={onClose}>
      {!value && !problem && <p class={form.note}>Loading…</p>}
      {problem && !none && <p class={form.problem}>{problem.message}</p>}
      {none && <Ask job={job} members={members} loaded={loaded} onAsked={onAsked} />}
      {value && <State job={job} consensus={value} loaded={loaded} />}
    </Dialog>
  );
}

interface AskProps {
  job: Job;
  members: readonly Member[];
  loaded: Loaded<Consensus>;
  onAsked: () => void;
}

/** Chooses the people who each annotate a copy of the job. */
function Ask({ job, members, loaded, onAsked }: AskProps) {
  const able = annotatorsOf(members);
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const { busy, problem, attempt } = useAttempt();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    attempt(async () => {
      const path = { job_id: job.id };
      loaded.set(await call("POST", "/api/jobs/{job_id}/consensus", { path, body: { people: [...chosen] } }));
      onAsked();
    });
  };
  return (
    <form class={form.form} onSubmit={submit} data-testid="consensus-form">
      <p class={form.note}>
        Each of these people gets a copy of the job and sees nothing of the others. Afterwards you see how far
        they agree, and can merge what they drew by a vote on each pixel.
      </p>
      <PeopleChoice members={able} chosen={chosen} onChange={setChosen} testid="consensus-person" />
      <Problem text={problem} />
      <div>
        <Button type="submit" tone="accent" testid="consensus-ask" busy={busy} disabled={chosen.size < 2}>
          {chosen.size < 2 ? "Choose at least two" : `Give to ${chosen.size}`}
        </Button>
      </div>
    </form>
  );
}

function Problem({ text }: { text: string }) {
  return text ? (
    <p class={form.problem} role="alert" data-testid="consensus-problem">
      {text}
    </p>
  ) : null;
}

interface StateProps {
  job: Job;
  consensus: Consensus;
  loaded: Loaded<Consensus>;
}

function State({ job, consensus, loaded }: StateProps) {
  const attempt = useAttempt();
  const { copies, agreement, computing, error, merged } = consensus;
  return (
    <div class={form.form}>
      <FramedList testid="consensus-copies">
        {copies.map((copy) => (
          <li key={copy.job}>
            {copy.person && <Avatar id={copy.person.id} name={copy.person.name} size={24} />}
            <RowText>
              <a href={`/videos/${copy.video}?job=${copy.job}`}>{copy.person?.name ?? "Nobody"}</a>
            </RowText>
            <JobStateChip job={copy} />
          </li>
        ))}
      </FramedList>
      {agreement.length > 0 && <Agreement consensus={consensus} />}
      {computing && <p class={form.note}>A worker computes…</p>}
      {merged !== null && (
        <p class={form.note} data-testid="consensus-merged">
          Merged into{" "}
          <a class={css.link} href={`/videos/${job.video}`}>
            version {merged}
          </a>{" "}
          of the video, which can be undone there.
        </p>
      )}
      <Problem text={attempt.problem || error} />
      <Buttons job={job} attempt={attempt} loaded={loaded} computing={computing} />
    </div>
  );
}

interface ButtonsProps {
  job: Job;
  attempt: Attempt;
  loaded: Loaded<Consensus>;
  computing: boolean;
}

function Buttons({ job, attempt: { busy, attempt }, loaded, computing }: ButtonsProps) {
  const path = { job_id: job.id };
  return (
    <div class={form.row}>
      <Button
        testid="consensus-agreement"
        busy={busy}
        disabled={computing}
        onClick={() =>
          attempt(async () =>
            loaded.set(await call("POST", "/api/jobs/{job_id}/consensus/agreement", { path })),
          )
        }
      >
        Compute agreement
      </Button>
      <Button
        tone="accent"
        testid="consensus-merge"
        busy={busy}
        disabled={computing}
        onClick={() =>
          attempt(async () => loaded.set(await call("POST", "/api/jobs/{job_id}/consensus/merge", { path })))
        }
      >
        Merge by vote
      </Button>
    </div>
  );
}

/** J&F between each two copies, the worst pair first. */
function Agreement({ consensus: { copies, agreement } }: { consensus: Consensus }) {
  const names = new Map(copies.map(({ job, person }) => [job, person?.name ?? "Nobody"]));
  return (
    <table class={css.table} data-testid="consensus-table">
      <thead>
        <tr>
          <th scope="col">Between</th>
          <th scope="col">J</th>
          <th scope="col">F</th>
          <th scope="col">J&F</th>
        </tr>
      </thead>
      <tbody>
        {[...agreement]
          .sort((one, other) => one.jf - other.jf)
          .map(({ a, b, j, f, jf }) => (
            <tr key={`${a} ${b}`}>
              <th scope="row">
                {names.get(a)} and {names.get(b)}
              </th>
              <td>{j.toFixed(3)}</td>
              <td>{f.toFixed(3)}</td>
              <td>{jf.toFixed(3)}</td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}
