/** The videos of a project, requested again every second while an import or a round runs. */
import { useEffect } from "preact/hooks";
import { call } from "../api/http";
import { type Loaded, useLoaded } from "../api/load";
import type { Video } from "../api/types";
import { byName } from "../format";
import { onArrived } from "../uploads/queue";

/** The pause between two requests while something is imported or a round runs. */
const BUSY_MS = 1000;
/** The pause otherwise, so that videos of others appear. */
const IDLE_MS = 15_000;

export function isBusy(videos: readonly Video[] | null): boolean {
  return Boolean(videos?.some((video) => video.state === "importing" || video.running));
}

export function useVideos(project: number): Loaded<Video[]> {
  const loaded = useLoaded(`videos ${project}`, () =>
    call("GET", "/api/projects/{project_id}/videos", { path: { project_id: project } }),
  );
  const { reload } = loaded;
  const pause = isBusy(loaded.value) ? BUSY_MS : IDLE_MS;

  // One request at a time: the pause starts when the last one was answered.
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let ended = false;
    const again = () => {
      timer = setTimeout(async () => {
        if (!document.hidden) await reload();
        if (!ended) again();
      }, pause);
    };
    again();
    addEventListener("focus", reload);
    return () => {
      ended = true;
      clearTimeout(timer);
      removeEventListener("focus", reload);
    };
  }, [pause, reload]);

  useEffect(() => onArrived((of) => of === project && reload()), [project, reload]);
  return loaded;
}

export const SORTS = {
  newest: "Newest first",
  name: "Name",
  worked: "Last worked on",
  longest: "Longest first",
};
export type Sort = keyof typeof SORTS;

const ORDER: Record<Sort, (a: Video, b: Video) => number> = {
  newest: (a, b) => b.created_at.localeCompare(a.created_at) || b.id - a.id,
  name: (a, b) => byName(a.name, b.name),
  worked: (a, b) => (b.last_worked_at ?? "").localeCompare(a.last_worked_at ?? "") || byName(a.name, b.name),
  longest: (a, b) => b.frame_count - a.frame_count || byName(a.name, b.name),
};

export const STATES = {
  any: "Any state",
  untouched: "Not started",
  worked: "Worked on",
  running: "Round running",
  importing: "Importing",
  failed: "Import failed",
};
export type StateFilter = keyof typeof STATES;

const FITS: Record<StateFilter, (video: Video) => boolean> = {
  any: () => true,
  untouched: (video) => video.state === "ready" && video.rounds === 0,
  worked: (video) => video.state === "ready" && video.rounds > 0,
  running: (video) => video.running,
  importing: (video) => video.state === "importing",
  failed: (video) => video.state === "failed" || video.state === "cancelled",
};

/** Returns the videos in a state whose name contains every word of `wanted`, sorted. */
export function arrange(
  videos: readonly Video[],
  wanted: string,
  sort: Sort,
  state: StateFilter = "any",
): Video[] {
  const words = wanted.trim().toLowerCase().split(/\s+/);
  return videos
    .filter((video) => FITS[state](video) && words.every((word) => video.name.toLowerCase().includes(word)))
    .sort(ORDER[sort]);
}
