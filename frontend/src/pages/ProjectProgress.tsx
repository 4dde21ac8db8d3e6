/** How far a project is, above its list of videos. Not shown for a project of a single job, whose card says it all. */
import { useEffect } from "preact/hooks";
import { call } from "../api/http";
import { useLoaded } from "../api/load";
import { JobsBar, jobsIn } from "./numbers/JobsBar";
import { ProblemLine } from "./ProblemLine";
import css from "./ProjectProgress.module.css";

const EVERY_MS = 60_000;

export interface ProjectProgressProps {
  project: number;
  /** Whether there are several videos, so that room is kept while the progress is loaded and nothing jumps. */
  several: boolean;
}

export function ProjectProgress({ project, several }: ProjectProgressProps) {
  const loaded = useLoaded(`progress ${project}`, () =>
    call("GET", "/api/projects/{project_id}/progress", { path: { project_id: project } }),
  );
  const { value, reload } = loaded;
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, [reload]);
  if (loaded.problem && !value) return <ProblemLine what="The progress" loaded={loaded} />;
  if (!value) return several ? <div class={css.place} /> : null;
  return jobsIn(value) > 1 ? (
    <div class={css.place}>
      <JobsBar progress={value} testid="project-progress" />
    </div>
  ) : null;
}
