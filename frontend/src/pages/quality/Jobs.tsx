/** The jobs of a project with their J&F: flagged ones first. Managers give a job to several people from here. */
import { ClipboardList } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
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
import { toastError } from "../../parts/Toast";
import { ProblemState } from "../ProblemState";
import { ConsensusDialog } from "./ConsensusDialog";

/** The number of jobs that are loaded first, and with each further request. */
const FIRST = 12;
const MORE = 100;
const MOST = 500; // One request answers at most as many.

interface Part {
  jobs: Job[];
  /** After which job the next part begins; null: there is none. */
  next: number | null;
}

/** Loads jobs in the order of their quality: flagged, then from the worst J&F, then those without one. */
function loadPart(project: number, limit: number, after: number | null = null): Promise<Part> {
  const query = { project, order: "quality" as const, limit, ...(after === null ? {} : { after }) };
  return call("GET", "/api/jobs", { query });
}

interface JobsProps {
  project: Project;
  members: readonly Member[];
  /** The number of samples drawn since the page was opened: each one changes jobs. */
  draws: number;
}

export function Jobs({ project, members, draws }: JobsProps) {
  const count = useRef(FIRST); // As many as are shown are loaded again.
  const loaded = useLoaded(`jobs of project ${project.id}`, () => loadPart(project.id, count.current));
  const { reload } = loaded;
  useEffect(() => {
    if (draws) reload();
  }, [draws, reload]);
  const [asking, setAsking] = useState<Job | null>(null);
  if (!loaded.value)
    return loaded.problem ? <ProblemState problem={loaded.problem} retry={loaded.reload} /> : <ListGhost />;
  const { jobs, next } = loaded.value;
  const more = async () => {
    try {
      const part = await loadPart(project.id, MORE, next);
      loaded.set((old) => ({ jobs: [...old.jobs, ...part.jobs], next: part.next }));
      count.current = Math.min(MOST, Math.max(FIRST, jobs.length + part.jobs.length));
    } catch (error) {
      toastError(error);
    }
  };
  if (!jobs.length)
    return (
      <EmptyState icon={ClipboardList} title="No jobs yet" testid="quality-jobs-none">
        Each video has a job as soon as it is imported.
      </EmptyState>
    );
  return (
    <>
      <FramedList testid="quality-jobs">
        {jobs.map((job) => (
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
      {next !== null && (
        <div>
          <Button size="small" testid="quality-jobs-more" onClick={more}>
            Show more
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
