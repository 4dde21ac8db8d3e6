/** The exports of all videos of a project. They are made in the studio. */
import { Download } from "lucide-preact";
import { mayRemove, useExportFormats, useProjectExports } from "../api/exports";
import { me } from "../api/session";
import { ExportList } from "../exports/ExportList";
import { EmptyState } from "../parts/EmptyState";
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
  if (!loaded.value.length) {
    return (
      <EmptyState icon={Download} title="No exports yet" testid="exports-empty">
        Open a video and choose Export: masks as a DAVIS folder, as one PNG for each object, or as a video to
        show. They are kept here for download.
      </EmptyState>
    );
  }
  return (
    <ExportList
      exports={loaded.value}
      formats={formats.value}
      removable={(exported) => mayRemove(exported, me.value?.id, project.role)}
      videos
      onChanged={loaded.reload}
    />
  );
}
