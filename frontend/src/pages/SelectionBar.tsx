/** While videos are selected: how many, and what can be done to all of them. It stays in view while the list scrolls. */
import { Download, Shuffle, Trash2, X } from "lucide-preact";
import { useState } from "preact/hooks";
import { call } from "../api/http";
import { asProblem } from "../api/load";
import { may } from "../api/roles";
import type { Card, Project } from "../api/types";
import { plural } from "../format";
import { Button } from "../parts/Button";
import { confirm } from "../parts/Confirm";
import { IconButton } from "../parts/IconButton";
import { toast } from "../parts/Toast";
import { go } from "../route";
import { ExportVideos } from "./ExportVideos";
import css from "./SelectionBar.module.css";

export interface SelectionBarProps {
  project: Project;
  videos: readonly Card[];
  /** The number of videos that the filters let through. */
  shown: number;
  onAll: () => void;
  onClear: () => void;
  onDeal: () => void;
  onDeleted: (ids: ReadonlySet<number>) => void;
}

export function SelectionBar(props: SelectionBarProps) {
  const { project, videos, shown, onAll, onClear, onDeal, onDeleted } = props;
  const [exporting, setExporting] = useState(false);
  const [busy, setBusy] = useState(false);
  const drop = async () => {
    const agreed = await confirm({
      title: `Delete ${plural(videos.length, "video")}?`,
      text: "They go to the trash with their frames, rounds and masks, and are removed after 30 days.",
      yes: `Delete ${plural(videos.length, "video")}`,
    });
    if (!agreed) return;
    setBusy(true);
    onDeleted(await deleteAll(videos));
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
      {exporting && <ExportVideos videos={videos} onClose={() => setExporting(false)} />}
    </section>
  );
}

/** Deletes the videos, one after another. Returns the ids of those that are gone, and says which ones stayed. */
async function deleteAll(videos: readonly Card[]): Promise<ReadonlySet<number>> {
  const gone = new Set<number>();
  for (const video of videos) {
    try {
      await call("DELETE", "/api/videos/{video_id}", { path: { video_id: video.id } });
      gone.add(video.id);
    } catch (error) {
      toast({ text: `${video.name} is still there: ${asProblem(error).message}`, tone: "bad" });
      break;
    }
  }
  if (gone.size)
    toast({
      text: `${plural(gone.size, "video is", "videos are")} in the trash.`,
      action: { name: "Trash", perform: () => go("/trash") },
    });
  return gone;
}
