/** The exports of a project and of its videos. Those of one video are made in the studio. */
import { Download } from "lucide-preact";
import { mayRemove, useExportFormats, useProjectExports } from "../api/exports";
import { may } from "../api/roles";
import { me } from "../api/session";
import { ExportList } from "../exports/ExportList";
import { EmptyState } from "../parts/EmptyState";
import { ExportProject } from "./ExportProject";
import { ProblemLine } from "./ProblemLine";
import { ProblemState } from "./ProblemState";
import css from "./ProjectPage.module.css";
import type { TabProps } from "./tab";

export function ExportsTab({ project }: TabProps) {
  const loaded = useProjectExports(project.id);
  const formats = useExportFormats();
  if (!loaded.value) {
    if (loaded.problem) return <ProblemState problem={loaded.problem} retry={loaded.reload} />;
    return <div class={css.ghost} aria-busy="true" data-testid="state-loading" />;
  }
  return (
    <>
      <ProblemLine what="The formats" loaded={formats} />
      {formats.value && may(project.role, "export") && (
        <ExportProject project={project} formats={formats.value} onMade={loaded.reload} />
      )}
      {loaded.value.length ? (
        <ExportList
          exports={loaded.value}
          formats={formats.value}
          removable={(exported) => mayRemove(exported, me.value?.id, project.role)}
          videos
          onChanged={loaded.reload}
        />
      ) : (
        <EmptyState icon={Download} title="No exports yet" testid="exports-empty">
          Export all videos here, or open one and choose Export. The files are kept here for download.
        </EmptyState>
      )}
    </>
  );
}
