/** The jobs of a project with their J&F: flagged ones first. Managers give a job to several people from here. */
import { ClipboardList } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import { call } from "../../api/http";
import { useLoaded } from "../../api/load";
import { may } from "../../api/roles";
import type { Job, Member, Project } from "../../api/types";
import { JobStateChip, QualityChip, SampleChip } from "../../jobs/Chip";
import { addressOf, rangeOf } from "../../jobs/words";
import { Avatar } from "../../parts/Avatar";
import { Button } from "../../parts/Button";
import { EmptyState } from "../../parts/EmptyState";
import { FramedList, ListGhost, RowText } from "../../parts/FramedList";
import { ProblemState } from "../ProblemState";
import { ConsensusDialog } from "./ConsensusDialog";

/** The number of jobs that are shown before one asks for more. */
const FIRST = 12;
/** The number of jobs that one request answers. */
const PART = 500;

/** Returns the jobs in the order in which a reviewer wants to see them: flagged, then from the worst J&F, then unchecked. */
export function worstFirst(jobs: readonly Job[]): Job[] {
  const rank = (job: Job) => (job.flagged ? 0 : job.jf !== null ? 1 : 2);
  return [...jobs].sort((a, b) => rank(a) - rank(b) || (a.jf ?? 1) - (b.jf ?? 1) || a.id - b.id);
}

async function loadJobs(project: number): Promise<Job[]> {
  const jobs: Job[] = [];
  let after: number | null = null;
  do {
    const query = { project, limit: PART, ...(after === null ? {} : { after }) };
    const part: { jobs: Job[]; next: number | null } = await call("GET", "/api/jobs", { query });
    jobs.push(...part.jobs);
    after = part.next;
  } while (after !== null);
  return jobs;
}

interface JobsProps {
  project: Project;
  members: readonly Member[];
  /** The number of samples drawn since the page was opened: each one changes jobs. */
  draws: number;
}

export function Jobs({ project, members, draws }: JobsProps) {
  const loaded = useLoaded(`jobs of project ${project.id}`, () => loadJobs(project.id));
  const { reload } = loaded;
  useEffect(() => {
    if (draws) reload();
  }, [draws, reload]);
  const [shown, setShown] = useState(FIRST);
  const [asking, setAsking] = useState<Job | null>(null);
  if (!loaded.value)
    return loaded.problem ? <ProblemState problem={loaded.problem} retry={loaded.reload} /> : <ListGhost />;
  const jobs = worstFirst(loaded.value);
  if (!jobs.length)
    return (
      <EmptyState icon={ClipboardList} title="No jobs yet" testid="quality-jobs-none">
        Each video has a job as soon as it is imported.
      </EmptyState>
    );
  return (
    <>
      <FramedList testid="quality-jobs">
        {jobs.slice(0, shown).map((job) => (
          <li key={job.id} data-testid={`quality-job-${job.id}`}>
            {job.assignee && <Avatar id={job.assignee.id} name={job.assignee.name} size={24} />}
            <RowText note={[rangeOf(job), job.assignee?.name ?? "nobody"].join(" · ")}>
              <a href={addressOf(job)}>{job.video_name}</a>
            </RowText>
            <QualityChip job={job} />
            <SampleChip job={job} />
            <JobStateChip job={job} />
            {may(project.role, "manage_jobs") && (
              <Button
                size="small"
                tone="quiet"
                testid={`consensus-open-${job.id}`}
                onClick={() => setAsking(job)}
              >
                Consensus…
              </Button>
            )}
          </li>
        ))}
      </FramedList>
      {jobs.length > shown && (
        <div>
          <Button size="small" testid="quality-jobs-more" onClick={() => setShown(shown + 100)}>
            Show more of {jobs.length.toLocaleString("en")} jobs
          </Button>
        </div>
      )}
      {asking && (
        <ConsensusDialog
          job={asking}
          members={members}
          onClose={() => setAsking(null)}
          onAsked={loaded.reload}
        />
      )}
    </>
  );
}
