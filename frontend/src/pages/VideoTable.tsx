/** The videos of a project as a table: one row a video. */
import { memo } from "preact/compat";
import { urlOf } from "../api/http";
import type { Card, Role } from "../api/types";
import { ago, bytes } from "../format";
import { DueChip, JobStateChip, PriorityChip } from "../jobs/Chip";
import { firstOpen, peopleOf, severalJobs } from "../jobs/cardJobs";
import { Avatar } from "../parts/Avatar";
import {
  acceptedText,
  importing,
  type VideoActs,
  type VideoCardProps,
  VideoCheck,
  VideoMenu,
  VideoName,
} from "./VideoCard";
import css from "./VideoTable.module.css";

export interface VideoTableProps extends VideoActs {
  videos: readonly Card[];
  role: Role;
  selected: ReadonlySet<number>;
  onSelect: (id: number, range: boolean) => void;
  /** Selects all that are shown, or none. */
  onSelectAll: (all: boolean) => void;
}

export function VideoTable({ videos, role, selected, onSelect, onSelectAll, ...acts }: VideoTableProps) {
  const all = videos.length > 0 && videos.every((video) => selected.has(video.id));
  return (
    <table class={css.table} data-testid="videos">
      <thead>
        <tr>
          <th class={css.check}>
            <input
              type="checkbox"
              aria-label="Select all that are shown"
              data-testid="videos-select-all"
              checked={all}
              onChange={(event) => onSelectAll(event.currentTarget.checked)}
            />
          </th>
          <th>Video</th>
          <th>State</th>
          <th class={css.second}>Assignee</th>
          <th class={css.second}>Accepted</th>
          <th class={css.second}>Due</th>
          <th class={`${css.number} ${css.second}`}>Frames</th>
          <th class={`${css.number} ${css.third}`}>Size</th>
          <th class={`${css.number} ${css.third}`}>Rounds</th>
          <th class={css.third}>Last work</th>
          <th class={css.more} aria-label="More" />
        </tr>
      </thead>
      <tbody>
        {videos.map((video) => (
          <Row
            key={video.id}
            video={video}
            role={role}
            selected={selected.has(video.id)}
            onSelect={onSelect}
            {...acts}
          />
        ))}
      </tbody>
    </table>
  );
}

const Row = memo(function Row(props: VideoCardProps) {
  const { video, role, selected } = props;
  const ready = video.state === "ready";
  const job = firstOpen(video.jobs);
  const people = peopleOf(video.jobs);
  return (
    <tr
      class={selected ? css.selected : undefined}
      data-testid={`video-${video.id}`}
      data-state={video.state}
    >
      <td class={css.check}>
        <VideoCheck {...props} />
      </td>
      <td>
        <div class={css.video}>
          <span class={css.picture}>
            {ready && (
              <img
                src={
                  video.cover ??
                  urlOf("/api/videos/{video_id}/thumbs/{frame}.jpg", { video_id: video.id, frame: 0 })
                }
                alt=""
                loading="lazy"
                decoding="async"
              />
            )}
          </span>
          <VideoName video={video} class={css.name} />
        </div>
      </td>
      <td class={css.state} title={video.state === "failed" ? video.error : video.note}>
        <State video={video} />
      </td>
      <td class={css.second}>
        <span class={css.people}>
          {people.map(({ id, name }) => (
            <Avatar key={id} id={id} name={name} size={20} />
          ))}
          {people.length === 1 && <span class={css.person}>{people[0]?.name}</span>}
        </span>
      </td>
      <td class={css.second}>{video.frame_count > 0 && <Done video={video} />}</td>
      <td class={css.second}>{job && <DueChip job={job} />}</td>
      <td class={`${css.number} ${css.second}`}>
        {video.frame_count ? video.frame_count.toLocaleString("en") : ""}
      </td>
      <td class={`${css.number} ${css.third}`}>{video.size_bytes ? bytes(video.size_bytes) : ""}</td>
      <td class={`${css.number} ${css.third}`}>{video.rounds || ""}</td>
      <td class={`${css.work} ${css.third}`}>
        {video.last_worked_at ? `${video.last_worked_by}, ${ago(video.last_worked_at)}` : ""}
      </td>
      <td class={css.more}>
        <VideoMenu {...props} role={role} />
      </td>
    </tr>
  );
});

/** The state of the import until the video is there, then that of its jobs. */
function State({ video }: { video: Card }) {
  if (video.state === "importing") return <>{importing(video)}</>;
  if (video.state === "failed") return <>Import failed</>;
  if (video.state === "cancelled") return <>Import cancelled</>;
  const job = firstOpen(video.jobs);
  const several = severalJobs(video.jobs);
  return (
    <span class={css.states}>
      {job && <JobStateChip job={job} testid={`video-job-${video.id}`} />}
      {job && <PriorityChip priority={job.priority} />}
      {several && <small>{several}</small>}
    </span>
  );
}

function Done({ video }: { video: Card }) {
  return (
    <span class={css.done} title={acceptedText(video)}>
      <span aria-hidden="true">
        <i style={{ width: `${(100 * video.accepted) / video.frame_count}%` }} />
      </span>
      {video.accepted.toLocaleString("en")}
      {Boolean(video.to_fix) && <small>{video.to_fix?.toLocaleString("en")} to fix</small>}
    </span>
  );
}
