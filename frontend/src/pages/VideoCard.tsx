/** The card of a video: thumbnail, length, size, rounds, who worked on it last, and its state. */
import { CircleAlert, EllipsisVertical, Info, ListTodo, Pencil, Trash2, X } from "lucide-preact";
import { memo } from "preact/compat";
import { may } from "../api/roles";
import type { Card, Role } from "../api/types";
import { ago, bytes, duration, plural } from "../format";
import { DueChip, JobStateChip, PriorityChip } from "../jobs/Chip";
import { firstOpen, peopleOf, severalJobs } from "../jobs/cardJobs";
import { Avatar } from "../parts/Avatar";
import { Button } from "../parts/Button";
import { Menu, type MenuItem } from "../parts/Menu";
import { Progress } from "../parts/Progress";
import { Thumbnail } from "./Thumbnail";
import css from "./VideoCard.module.css";

/** What can be done to a video from its card or its row. */
export interface VideoActs {
  onRename: (video: Card) => void;
  onCancel: (video: Card) => void;
  onDelete: (video: Card) => void;
  /** Shows the jobs of the video, to assign or cut them. */
  onJobs: (video: Card) => void;
}

export interface VideoCardProps extends VideoActs {
  video: Card;
  role: Role;
  selected: boolean;
  /** Selects the video or takes it out; with `range`, all from the one that was clicked before. */
  onSelect: (id: number, range: boolean) => void;
}

/** The name of a video, which is a link to it once it is imported. */
export function VideoName({ video, class: style }: { video: Card; class: string | undefined }) {
  if (video.state !== "ready")
    return (
      <b class={style} title={video.name}>
        {video.name}
      </b>
    );
  return (
    <a href={`/videos/${video.id}`} class={style} title={video.name} data-testid={`video-open-${video.id}`}>
      {video.name}
    </a>
  );
}

export const VideoCard = memo(function VideoCard(props: VideoCardProps) {
  const { video, selected } = props;
  return (
    <li
      class={`${css.card} ${css[video.state] ?? ""} ${selected ? css.selected : ""}`}
      data-testid={`video-${video.id}`}
      data-state={video.state}
    >
      <div class={css.picture}>
        <Picture {...props} />
      </div>
      {/* Not in the picture, whose content-visibility would put the box below the link that covers the card. */}
      <VideoCheck {...props} class={css.check} />
      <div class={css.text}>
        <div class={css.line}>
          <VideoName video={video} class={css.name} />
          <VideoMenu {...props} />
        </div>
        <p class={css.facts}>
          {summaries(video)}
          {video.note && (
            <Info size={13} role="img" aria-label={video.note} data-testid={`video-note-${video.id}`}>
              <title>{video.note}</title>
            </Info>
          )}
        </p>
        <p class={css.work}>{work(video)}</p>
        {video.state === "ready" && <Jobs video={video} />}
      </div>
    </li>
  );
});

/** The state of the video's jobs, who has them, and how many frames are accepted. */
function Jobs({ video }: { video: Card }) {
  const job = firstOpen(video.jobs);
  if (!job) return null;
  const several = severalJobs(video.jobs);
  return (
    <div class={css.jobs}>
      <span class={css.chips} title={several}>
        <JobStateChip job={job} testid={`video-job-${video.id}`} />
        {several && <small>{several}</small>}
        <DueChip job={job} />
        <PriorityChip priority={job.priority} />
      </span>
      <span class={css.people}>
        {peopleOf(video.jobs).map(({ id, name }) => (
          <Avatar key={id} id={id} name={name} size={20} />
        ))}
      </span>
      {Boolean(video.to_fix) && (
        <small class={css.fix} data-testid={`video-fix-${video.id}`}>
          {video.to_fix?.toLocaleString("en")} to fix
        </small>
      )}
      {video.accepted > 0 && (
        <span class={css.bar} role="img" aria-label={acceptedText(video)} title={acceptedText(video)}>
          <i style={{ width: `${(100 * video.accepted) / Math.max(1, video.frame_count)}%` }} />
        </span>
      )}
    </div>
  );
}

export function acceptedText(video: Card): string {
  const accepted = `${video.accepted.toLocaleString("en")} of ${plural(video.frame_count, "frame")} accepted`;
  return video.to_fix ? `${accepted}, ${video.to_fix.toLocaleString("en")} to fix` : accepted;
}

/** The box that selects a video. With Shift, all from the one that was clicked before are. */
export function VideoCheck(props: VideoCardProps & { class?: string | undefined }) {
  const { video, selected, onSelect } = props;
  return (
    <label class={`${css.box} ${props.class ?? ""}`}>
      <input
        type="checkbox"
        aria-label={`Select ${video.name}`}
        data-testid={`video-select-${video.id}`}
        checked={selected}
        onClick={(event) => onSelect(video.id, event.shiftKey)}
      />
    </label>
  );
}

export function summaries(video: Card): string {
  const size = video.size_bytes ? bytes(video.size_bytes) : "";
  if (!video.width) return size;
  return [`${video.width}×${video.height}`, `${Number(video.fps.toFixed(2))} fps`, size]
    .filter(Boolean)
    .join(" · ");
}

export function work(video: Card): string {
  if (video.state !== "ready") return `added ${ago(video.created_at)}`;
  if (!video.rounds) return "not started";
  const rounds = plural(video.rounds, "round");
  if (!video.last_worked_by || !video.last_worked_at) return rounds;
  return `${rounds} · ${video.last_worked_by}, ${ago(video.last_worked_at)}`;
}

function Picture({ video, role, onCancel, onDelete }: VideoCardProps) {
  if (video.state === "ready") {
    return (
      <>
        <a href={`/videos/${video.id}`} tabIndex={-1} aria-label={`Open ${video.name}`} class={css.open}>
          <Thumbnail
            video={video.id}
            frames={video.frame_count}
            upright={video.height > video.width}
            cover={video.cover}
          />
        </a>
        <span class={css.badges}>
          {video.running && <i class={css.running}>round running</i>}
          {video.has_truth && <i class={css.truth}>ground truth</i>}
        </span>
        <span class={css.length}>
          {plural(video.frame_count, "frame")} · {duration(video.frame_count / (video.fps || 24))}
        </span>
      </>
    );
  }
  if (video.state === "importing") {
    return (
      <div class={css.notice}>
        <span data-testid={`video-import-${video.id}`}>{importing(video)}</span>
        <Progress
          value={video.progress_total ? video.progress_done / video.progress_total : null}
          label={`Import of ${video.name}`}
          testid={`video-progress-${video.id}`}
        />
        {may(role, "cancel_import") && (
          <Button size="small" icon={X} testid={`video-cancel-${video.id}`} onClick={() => onCancel(video)}>
            Cancel
          </Button>
        )}
      </div>
    );
  }
  const text =
    video.state === "cancelled" ? "The import was cancelled." : video.error || "The import failed.";
  return (
    <div class={css.notice}>
      <span class={css.failure} role="alert" data-testid={`video-error-${video.id}`}>
        {video.state === "failed" && <CircleAlert size={15} aria-hidden="true" />}
        {text}
      </span>
      {may(role, "clear_failed") && (
        <Button
          size="small"
          icon={Trash2}
          testid={`video-remove-${video.id}`}
          onClick={() => onDelete(video)}
        >
          Remove
        </Button>
      )}
    </div>
  );
}

export function importing(video: Card): string {
  if (!video.progress_done) return "Waiting to be imported";
  const of = video.progress_total ? ` of about ${video.progress_total.toLocaleString("en")}` : "";
  return `Importing: ${video.progress_done.toLocaleString("en")}${of} frames`;
}

export function VideoMenu({
  video,
  role,
  onRename,
  onDelete,
  onJobs,
}: VideoActs & { video: Card; role: Role }) {
  const items: MenuItem[] = [];
  if (may(role, "rename_video"))
    items.push({ name: "Rename", icon: Pencil, testid: "video-rename", perform: () => onRename(video) });
  if (may(role, "manage_jobs") && video.state === "ready")
    items.push({ name: "Jobs", icon: ListTodo, testid: "video-jobs", perform: () => onJobs(video) });
  if (may(role, "delete_video") && video.state === "ready")
    items.push({
      name: "Delete",
      icon: Trash2,
      tone: "bad",
      testid: "video-delete",
      perform: () => onDelete(video),
    });
  if (!items.length) return null;
  return (
    <Menu
      label={`More for ${video.name}`}
      testid={`video-menu-${video.id}`}
      align="end"
      class={css.more}
      heading={video.note}
      items={items}
    >
      <EllipsisVertical size={16} aria-hidden="true" />
    </Menu>
  );
}
