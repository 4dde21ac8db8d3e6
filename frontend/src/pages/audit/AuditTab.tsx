/** What was done in a project, for its managers. */
import { Lock } from "lucide-preact";
import { call, callAll, urlOf } from "../../api/http";
import { useLoaded } from "../../api/load";
import { may } from "../../api/roles";
import { EmptyState } from "../../parts/EmptyState";
import { ProblemLine } from "../ProblemLine";
import type { TabProps } from "../tab";
import { AuditList } from "./AuditList";

export function AuditTab({ project }: TabProps) {
  const allowed = may(project.role, "change_project");
  const members = useLoaded(`members ${project.id}`, async () =>
    allowed ? callAll("/api/projects/{project_id}/members", { path: { project_id: project.id } }) : [],
  );
  if (!allowed)
    return (
      <EmptyState icon={Lock} title="Not for your role" testid="state-forbidden">
        What was done in a project is for its managers and owners; in this one you are {project.role}.
      </EmptyState>
    );
  const path = { project_id: project.id };
  return (
    <>
      <ProblemLine what="The members" loaded={members} />
      <AuditList
        of={`project ${project.id}`}
        csv={urlOf("/api/projects/{project_id}/audit.csv", path)}
        people={(members.value ?? []).map(({ user }) => user)}
        load={(filter) => call("GET", "/api/projects/{project_id}/audit", { path, query: filter })}
      />
    </>
  );
}
