/** A list of exports, with their progress and buttons to download, cancel or remove. */
import { Download, Trash2, X } from "lucide-preact";
import { formatTitle, isOpen } from "../api/exports";
import { call, urlOf } from "../api/http";
import type { Export, ExportFormat } from "../api/types";
import { ago, bytes } from "../format";
import { FramedList } from "../parts/FramedList";
import { IconButton } from "../parts/IconButton";
import { Progress } from "../parts/Progress";
import { toastError } from "../parts/Toast";
import css from "./ExportList.module.css";

export interface ExportListProps {
  exports: Export[];
  /** Null while they are loaded. */
  formats: readonly ExportFormat[] | null;
  /** Whether the person may cancel or remove an export. */
  removable: (exported: Export) => boolean;
  /** Whether each row names its video. */
  videos?: boolean;
  /** Called after an export was cancelled or removed. */
  onChanged: () => void;
}

export function ExportList({ exports, formats, removable, videos = false, onChanged }: ExportListProps) {
  return (
    <FramedList testid="exports">
      {exports.map((exported) => (
        <Row
          key={exported.id}
          exported={exported}
          title={formatTitle(exported.format, formats)}
          removable={removable(exported)}
          videos={videos}
          onChanged={onChanged}
        />
      ))}
    </FramedList>
  );
}

/** Returns the sentence under the name. */
export function describe(exported: Export): string {
  const about = [
    exported.round === null ? "" : `round ${exported.round}`,
    exported.author,
    ago(exported.created_at),
  ];
  const tail = about.filter(Boolean).join(" · ");
  if (exported.state === "queued") return `Waiting for its turn · ${tail}`;
  if (exported.state === "running") {
    const of = exported.progress_total ? ` of ${exported.progress_total.toLocaleString("en")}` : "";
    return `Frame ${exported.progress_done.toLocaleString("en")}${of} · ${tail}`;
  }
  if (exported.state === "cancelled") return `Cancelled · ${tail}`;
  if (exported.state === "failed") return exported.error || "This export failed.";
  return `${bytes(exported.size_bytes)} · ${tail}`;
}

interface RowProps {
  exported: Export;
  title: string;
  removable: boolean;
  videos: boolean;
  onChanged: () => void;
}

function Row({ exported, title, removable, videos, onChanged }: RowProps) {
  const open = isOpen(exported);
  const remove = async () => {
    try {
      await call("DELETE", "/api/exports/{export_id}", { path: { export_id: exported.id } });
    } catch (error) {
      toastError(error);
    }
    onChanged();
  };
  return (
    <li
      class={`${css.row} ${css[exported.state]}`}
      data-testid={`export-${exported.id}`}
      data-state={exported.state}
    >
      <div class={css.text}>
        <b>
          {videos && exported.video !== null && (
            <a href={`/videos/${exported.video}`}>{exported.video_name}</a>
          )}
          {videos && exported.video === null && "All videos"}
          {videos && <i>·</i>}
          {title}
        </b>
        <span role={exported.state === "failed" ? "alert" : undefined}>{describe(exported)}</span>
        {open && (
          <Progress
            value={exported.progress_total ? exported.progress_done / exported.progress_total : null}
            label={`Export ${title}`}
            testid={`export-progress-${exported.id}`}
          />
        )}
      </div>
      {exported.state === "done" && (
        <a
          class={css.download}
          href={urlOf("/api/exports/{export_id}/file", { export_id: exported.id })}
          download
          data-testid={`export-download-${exported.id}`}
        >
          <Download size={15} aria-hidden="true" />
          Download
        </a>
      )}
      {removable && open && (
        <IconButton
          icon={X}
          label="Cancel this export"
          size="small"
          tone="bad"
          testid={`export-cancel-${exported.id}`}
          onClick={remove}
        />
      )}
      {removable && !open && (
        <IconButton
          icon={Trash2}
          label="Remove this export"
          size="small"
          tone="bad"
          testid={`export-remove-${exported.id}`}
          onClick={remove}
        />
      )}
    </li>
  );
}
