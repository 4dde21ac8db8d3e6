/** How good the work of a project is: what is asked of submissions, J&F of jobs, known clips, and review by sample. */
import { Lock } from "lucide-preact";
import { useState } from "preact/hooks";
import { callAll } from "../../api/http";
import { useLoaded } from "../../api/load";
import { may } from "../../api/roles";
import { EmptyState } from "../../parts/EmptyState";
import { ProblemLine } from "../ProblemLine";
import { Section } from "../Section";
import type { TabProps } from "../tab";
import { Jobs } from "./Jobs";
import { KnownClips } from "./KnownClips";
import css from "./QualityTab.module.css";
import { Sample } from "./Sample";
import { Thresholds } from "./Thresholds";

export function QualityTab({ project }: TabProps) {
  const members = useLoaded(`members ${project.id}`, () =>
    callAll("/api/projects/{project_id}/members", { path: { project_id: project.id } }),
  );
  const [draws, setDraws] = useState(0);
  if (!may(project.role, "see_quality"))
    return (
      <EmptyState icon={Lock} title="Not for your role" testid="state-forbidden">
        How good the work is is for reviewers and managers; in this project you are {project.role}.
      </EmptyState>
    );
  const people = members.value ?? [];
  return (
    <div class={css.page}>
      <div class={css.side}>
        <Section title="What is asked of submissions">
          <Thresholds project={project} />
        </Section>
        {may(project.role, "manage_jobs") && (
          <Section title="Review by sample">
            <Sample project={project} members={people} onDrawn={() => setDraws((count) => count + 1)} />
          </Section>
        )}
      </div>
      <div class={css.main}>
        <ProblemLine what="The members" loaded={members} />
        <Section title="Jobs">
          <Jobs project={project} members={people} draws={draws} />
        </Section>
        <Section title="Known clips">
          <KnownClips project={project} members={people} />
        </Section>
      </div>
    </div>
  );
}
