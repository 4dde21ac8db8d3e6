/** The page “My work”: the next job, the queue of jobs to annotate and to review, and the pools to take one from. */
import { ArrowRight, CircleCheck, HandHelping } from "lucide-preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { call, urlOf } from "../api/http";
import { useLoaded } from "../api/load";
import type { Job, Work } from "../api/types";
import { plural } from "../format";
import { Accepted } from "../jobs/Accepted";
import { DueChip, JobStateChip, PriorityChip, QualityChip, SampleChip } from "../jobs/Chip";
import { NoteText } from "../jobs/Note";
import { addressOf, rangeOf } from "../jobs/words";
import { Button } from "../parts/Button";
import { EmptyState } from "../parts/EmptyState";
import { FramedList } from "../parts/FramedList";
import { toastError } from "../parts/Toast";
import { go } from "../route";
import { More } from "./More";
import { PageHead } from "./PageHead";
import { ProblemLine } from "./ProblemLine";
import { ProblemState } from "./ProblemState";
import { Shell } from "./Shell";
import css from "./WorkPage.module.css";

const EVERY_MS = 15_000;

export function WorkPage() {
  const parts = useRef(1);
  const asking = useRef(false); // A further part is on its way, so the end of the list asks for no other one.
  const loaded = useLoaded("my work", () => loadWork(parts.current));
  const work = loaded.value;
  const { reload } = loaded;
  useEffect(() => {
    const ask = () => {
      if (!document.hidden) reload();
    };
    const timer = setInterval(ask, EVERY_MS); // So that a job appears that somebody gives or sends back meanwhile.
    addEventListener("focus", reload);
    return () => {
      clearInterval(timer);
      removeEventListener("focus", reload);
    };
  }, [reload]);
  const askFurther = async () => {
    if (asking.current) return;
    asking.current = true;
    parts.current++;
    await reload();
    asking.current = false;
  };
  return (
    <Shell title="My work" crumbs={[{ name: "My work", href: "/work" }]}>
      {!work && loaded.problem && <ProblemState problem={loaded.problem} retry={loaded.reload} />}
      {!work && !loaded.problem && <Skeleton />}
      {work && <Queue work={work} />}
      {work && loaded.problem && <ProblemLine what="Your newest work" loaded={{ ...loaded, value: null }} />}
      {work && !loaded.problem && cursorsOf(work) && <More onSeen={askFurther} />}
    </Shell>
  );
}

/** Returns the parameters that ask for the next page of each list, or null if all lists are complete. */
function cursorsOf({ next_jobs, next_reviews, next_pools }: Work) {
  if (next_jobs === null && next_reviews === null && next_pools === null) return null;
  return {
    ...(next_jobs === null ? {} : { jobs_after: next_jobs }),
    ...(next_reviews === null ? {} : { reviews_after: next_reviews }),
    ...(next_pools === null ? {} : { pools_after: next_pools }),
  };
}

/** Loads at most `parts` parts of the queue, and puts their lists together. */
async function loadWork(parts: number): Promise<Work> {
  let work = await call("GET", "/api/me/work");
  for (let part = 1; part < parts; part++) {
    const query = cursorsOf(work);
    if (!query) break;
    const more = await call("GET", "/api/me/work", { query });
    // A list that has ended already comes from its beginning again.
    work = {
      ...more,
      jobs: work.next_jobs === null ? work.jobs : [...work.jobs, ...more.jobs],
      reviews: work.next_reviews === null ? work.reviews : [...work.reviews, ...more.reviews],
      pools: work.next_pools === null ? work.pools : [...work.pools, ...more.pools],
      next_jobs: work.next_jobs === null ? null : more.next_jobs,
      next_reviews: work.next_reviews === null ? null : more.next_reviews,
      next_pools: work.next_pools === null ? null : more.next_pools,
    };
  }
  return work;
}

/** Returns the job to go on with: what was sent back or begun first, then reviews, as the server has ordered them. */
export function nextOf({ jobs, reviews }: Pick<Work, "jobs" | "reviews">): Job | null {
  return jobs[0] ?? reviews[0] ?? null;
}

function Queue({ work }: { work: Work }) {
  const next = nextOf(work);
  const rest = (jobs: Job[]) => jobs.filter((job) => job.id !== next?.id);
  useNextKey(next);
  return (
    <>
      <PageHead title="My work">
        {next && (
          <p data-testid="work-count">
            {[
              work.job_count && `${plural(work.job_count, "job")} to annotate`,
              work.review_count && `${work.review_count.toLocaleString("en")} to review`,
            ]
              .filter(Boolean)
              .join(" · ")}
          </p>
        )}
      </PageHead>
      {next ? <Next job={next} /> : <Nothing pools={work.pools.length > 0} />}
      <List
        title="To annotate"
        testid="work-jobs"
        jobs={rest(work.jobs)}
        count={work.job_count - Number(next === work.jobs[0])}
      />
      <List
        title="To review"
        testid="work-reviews"
        jobs={rest(work.reviews)}
        count={work.review_count - Number(next === work.reviews[0])}
      />
      <Pools pools={work.pools} />
    </>
  );
}

/** The key J opens the next job. */
function useNextKey(next: Job | null): void {
  // A layout effect runs before the next event, so that a key which is pressed at once is not lost.
  useLayoutEffect(() => {
    if (!next) return;
    const press = (event: KeyboardEvent) => {
      const target = event.target as Element;
      if (event.key.toLowerCase() !== "j" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (target.closest("input, textarea, select, dialog, [role=menu]")) return;
      event.preventDefault();
      go(addressOf(next));
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [next]);
}

function Picture({ job }: { job: Job }) {
  return (
    <img
      src={urlOf("/api/videos/{video_id}/thumbs/{frame}.jpg", { video_id: job.video, frame: job.first })}
      alt=""
      loading="lazy"
      decoding="async"
    />
  );
}

function Chips({ job }: { job: Job }) {
  return (
    <span class={css.chips}>
      <JobStateChip job={job} />
      <DueChip job={job} />
      <PriorityChip priority={job.priority} />
      <QualityChip job={job} />
      <SampleChip job={job} />
    </span>
  );
}

/** The first job of the queue, large. */
function Next({ job }: { job: Job }) {
  return (
    <section class={css.next} aria-label="Next job" data-testid="work-next">
      <div class={css.picture}>
        <Picture job={job} />
      </div>
      <div class={css.about}>
        <span class={css.over}>{job.stage === "validation" ? "Next to review" : "Next job"}</span>
        <h2>
          <a href={addressOf(job)}>{job.video_name}</a>
        </h2>
        <p class={css.where}>
          {job.project_name} · {rangeOf(job)}
        </p>
        <Chips job={job} />
        {job.instructions && <p class={css.instructions}>{job.instructions}</p>}
        {job.note && <NoteText note={job.note} testid="work-note" />}
        <div class={css.foot}>
          <Button
            tone="accent"
            icon={ArrowRight}
            hotkey="J"
            testid="work-open-next"
            onClick={() => go(addressOf(job))}
          >
            {job.stage === "validation" ? "Review" : job.state === "new" ? "Begin" : "Go on"}
          </Button>
          <Accepted job={job} />
        </div>
      </div>
    </section>
  );
}

/** A list of jobs. `count` is the number of all of them, of which `jobs` are loaded. */
function List({ title, testid, jobs, count }: { title: string; testid: string; jobs: Job[]; count: number }) {
  if (!jobs.length) return null;
  return (
    <section class={css.section}>
      <h2>
        {title} <small>{count.toLocaleString("en")}</small>
      </h2>
      <FramedList testid={testid}>
        {jobs.map((job) => (
          <li
            key={job.id}
            class={css.row}
            data-testid={`job-${job.id}`}
            data-state={`${job.stage}-${job.state}`}
          >
            <span class={css.thumb}>
              <Picture job={job} />
            </span>
            <span class={css.name}>
              <a href={addressOf(job)} class={css.link} data-testid={`job-open-${job.id}`}>
                {job.video_name}
              </a>
              <small>
                {job.project_name} · {rangeOf(job)}
              </small>
            </span>
            <Chips job={job} />
            <span class={css.progress}>
              <Accepted job={job} />
            </span>
          </li>
        ))}
      </FramedList>
    </section>
  );
}

function Nothing({ pools }: { pools: boolean }) {
  return (
    <EmptyState icon={CircleCheck} title="Nothing waits for you" testid="work-empty">
      {pools
        ? "Take a job from a pool below, or look at your projects."
        : "Jobs that somebody gives you stand here, the most urgent one first."}
    </EmptyState>
  );
}

function Pools({ pools }: { pools: Work["pools"] }) {
  const [busy, setBusy] = useState<number | null>(null);
  if (!pools.length) return null;
  const take = async (project: number) => {
    setBusy(project);
    try {
      const job = await call("POST", "/api/projects/{project_id}/jobs/take", {
        path: { project_id: project },
      });
      go(addressOf(job));
    } catch (error) {
      toastError(error);
      setBusy(null);
    }
  };
  return (
    <section class={css.section}>
      <h2>To take</h2>
      <FramedList testid="work-pools">
        {pools.map((pool) => (
          <li key={pool.project} class={css.row}>
            <span class={css.name}>
              <a href={`/projects/${pool.project}`} class={css.plain}>
                {pool.project_name}
              </a>
              <small>{plural(pool.jobs, "job")} nobody has yet</small>
            </span>
            <Button
              size="small"
              icon={HandHelping}
              testid={`work-take-${pool.project}`}
              busy={busy === pool.project}
              onClick={() => take(pool.project)}
            >
              Take one
            </Button>
          </li>
        ))}
      </FramedList>
    </section>
  );
}

function Skeleton() {
  return (
    <div aria-busy="true" data-testid="state-loading">
      <PageHead title="My work" />
      <div class={`${css.next} ${css.ghost}`} />
    </div>
  );
}
