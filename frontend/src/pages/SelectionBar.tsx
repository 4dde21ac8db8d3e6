/** While videos are selected: how many, and what can be done to all of them. It stays in view while the list scrolls. */
import { Download, Pencil, Shuffle, Trash2, X } from "lucide-preact";
import { useState } from "preact/hooks";
import { may } from "../api/roles";
import type { Card, Member, Project } from "../api/types";
import { plural } from "../format";
import { Button } from "../parts/Button";
import { confirm } from "../parts/Confirm";
import { IconButton } from "../parts/IconButton";
import { toast, toastError } from "../parts/Toast";
import { go } from "../route";
import { actOn, EditVideos } from "./EditVideos";
import { ExportVideos } from "./ExportVideos";
import css from "./SelectionBar.module.css";

export interface SelectionBarProps {
  project: Project;
  videos: readonly Card[];
  members: readonly Member[];
  /** The number of videos that the filters let through. */
  shown: number;
  onAll: () => void;
  onClear: () => void;
  onDeal: () => void;
  /** Called after the videos were changed. */
  onChanged: () => void;
  onDeleted: (ids: ReadonlySet<number>) => void;
}

export function SelectionBar(props: SelectionBarProps) {
  const { project, videos, members, shown, onAll, onClear, onDeal, onDeleted, onChanged } = props;
  const [exporting, setExporting] = useState(false);
  const [editing, setEditing] = useState(false);
  const [busy, setBusy] = useState(false);
  const drop = async () => {
    const agreed = await confirm({
      title: `Delete ${plural(videos.length, "video")}?`,
      text: "They go to the trash with their frames, rounds and masks, and are removed after 30 days.",
      yes: `Delete ${plural(videos.length, "video")}`,
    });
    if (!agreed) return;
    setBusy(true);
    try {
      await actOn(project.id, videos, { action: "delete" });
      onDeleted(new Set(videos.map(({ id }) => id)));
      toast({
        text: `${plural(videos.length, "video is", "videos are")} in the trash.`,
        action: { name: "Trash", perform: () => go("/trash") },
      });
    } catch (error) {
      onChanged(); // Some may be deleted.
      toastError(error);
    }
    setBusy(false);
  };
  return (
    <section class={css.bar} aria-label="Selected videos" data-testid="selection-bar">
      <b data-testid="selection-count">{videos.length.toLocaleString("en")} selected</b>
      {videos.length < shown && (
        <Button tone="quiet" size="small" testid="selection-all" onClick={onAll}>
          Select all {shown.toLocaleString("en")}
        </Button>
      )}
      <span class={css.grow} />
      {may(project.role, "manage_jobs") && (
        <Button size="small" icon={Shuffle} testid="selection-deal" onClick={onDeal}>
          Deal jobs
        </Button>
      )}
      {may(project.role, "manage_jobs") && (
        <Button size="small" icon={Pencil} testid="selection-edit" onClick={() => setEditing(true)}>
          Change
        </Button>
      )}
      {may(project.role, "export") && (
        <Button size="small" icon={Download} testid="selection-export" onClick={() => setExporting(true)}>
          Export
        </Button>
      )}
      {may(project.role, "delete_video") && (
        <Button size="small" tone="bad" icon={Trash2} testid="selection-delete" busy={busy} onClick={drop}>
          Delete
        </Button>
      )}
      <IconButton icon={X} label="Select none" size="small" testid="selection-clear" onClick={onClear} />
      {editing && (
        <EditVideos
          project={project}
          videos={videos}
          members={members}
          onClose={() => setEditing(false)}
          onChanged={onChanged}
        />
      )}
      {exporting && <ExportVideos videos={videos} onClose={() => setExporting(false)} />}
    </section>
  );
}
