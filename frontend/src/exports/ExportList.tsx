/** Exports as rows: what, how far, download, cancel or remove. */
import { Download, Trash2, X } from "lucide-preact";
import { formatTitle, isOpen } from "../api/exports";
import { call, urlOf } from "../api/http";
import type { Export, ExportFormat } from "../api/types";
import { ago, bytes } from "../format";
import { IconButton } from "../parts/IconButton";
import { Progress } from "../parts/Progress";
import { toastError } from "../parts/Toast";
import css from "./ExportList.module.css";

export interface ExportListProps {
  exports: Export[];
  /** Null while they are loaded. */
  formats: readonly ExportFormat[] | null;
  /** Whether one may cancel or remove it. */
  removable: (one: Export) => boolean;
  /** Whether rows name their video. */
  videos?: boolean;
  /** After something was cancelled or removed. */
  onChanged: () => void;
}

export function ExportList({ exports, formats, removable, videos = false, onChanged }: ExportListProps) {
  return (
    <ul class={css.list} data-testid="exports">
      {exports.map((one) => (
        <Row
          key={one.id}
          one={one}
          title={formatTitle(one.format, formats)}
          removable={removable(one)}
          videos={videos}
          onChanged={onChanged}
        />
      ))}
    </ul>
  );
}

/** The sentence under the name. */
export function describe(one: Export): string {
  const about = [one.round === null ? "" : `round ${one.round}`, one.author, ago(one.created_at)];
  const tail = about.filter(Boolean).join(" · ");
  if (one.state === "queued") return `Waiting for its turn · ${tail}`;
  if (one.state === "running") {
    const of = one.progress_total ? ` of ${one.progress_total.toLocaleString("en")}` : "";
    return `Frame ${one.progress_done.toLocaleString("en")}${of} · ${tail}`;
  }
  if (one.state === "cancelled") return `Cancelled · ${tail}`;
  if (one.state === "failed") return one.error || "This export failed.";
  return `${bytes(one.size_bytes)} · ${tail}`;
}

interface RowProps {
  one: Export;
  title: string;
  removable: boolean;
  videos: boolean;
  onChanged: () => void;
}

function Row({ one, title, removable, videos, onChanged }: RowProps) {
  const open = isOpen(one);
  const remove = async () => {
    try {
      await call("DELETE", "/api/exports/{export_id}", { path: { export_id: one.id } });
    } catch (error) {
      toastError(error);
    }
    onChanged();
  };
  return (
    <li class={`${css.row} ${css[one.state]}`} data-testid={`export-${one.id}`} data-state={one.state}>
      <div class={css.text}>
        <b>
          {videos && <a href={`/videos/${one.video}`}>{one.video_name}</a>}
          {videos && <i>·</i>}
          {title}
        </b>
        <span role={one.state === "failed" ? "alert" : undefined}>{describe(one)}</span>
        {open && (
          <Progress
            value={one.progress_total ? one.progress_done / one.progress_total : null}
            label={`Export ${title}`}
            testid={`export-progress-${one.id}`}
          />
        )}
      </div>
      {one.state === "done" && (
        <a
          class={css.download}
          href={urlOf("/api/exports/{export_id}/file", { export_id: one.id })}
          download
          data-testid={`export-download-${one.id}`}
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
          testid={`export-cancel-${one.id}`}
          onClick={remove}
        />
      )}
      {removable && !open && (
        <IconButton
          icon={Trash2}
          label="Remove this export"
          size="small"
          tone="bad"
          testid={`export-remove-${one.id}`}
          onClick={remove}
        />
      )}
    </li>
  );
}
