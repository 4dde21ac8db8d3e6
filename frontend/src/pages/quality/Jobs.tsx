/** The jobs of a project with their J&F: flagged ones first. Managers give a job to several people from here. */
import { ClipboardList } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
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
import { useJobs } from "./jobParts";

/** Returns "frames 0 to 39 · Ada · J 0.71, F 0.83". */
function noteOf(job: Job): string {
  const { j, f } = job;
  const scores = j === null || f === null ? "" : `J ${j.toFixed(2)}, F ${f.toFixed(2)}`;
  return [rangeOf(job), job.assignee?.name ?? "nobody", scores].filter(Boolean).join(" · ");
}

interface JobsProps {
  project: Project;
  members: readonly Member[];
  /** The number of samples drawn since the page was opened: each one changes jobs. */
  draws: number;
}

export function Jobs({ project, members, draws }: JobsProps) {
  const { value, problem, reload, more, busy } = useJobs(project.id);
  useEffect(() => {
    if (draws) reload();
  }, [draws, reload]);
  const [asking, setAsking] = useState<Job | null>(null);
  if (!value) return problem ? <ProblemState problem={problem} retry={reload} /> : <ListGhost />;
  const { jobs, next } = value;
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
            <RowText note={noteOf(job)}>
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
          <Button size="small" testid="quality-jobs-more" busy={busy} onClick={more}>
            Show more
          </Button>
        </div>
      )}
      {asking && (
        <ConsensusDialog job={asking} members={members} onClose={() => setAsking(null)} onAsked={reload} />
      )}
    </>
  );
}
