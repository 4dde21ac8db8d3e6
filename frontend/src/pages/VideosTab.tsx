/** The videos of a project as cards. New files are dropped anywhere on the page or picked. */
import { Film, Plus, Upload } from "lucide-preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { call } from "../api/http";
import { may } from "../api/roles";
import type { Video } from "../api/types";
import { Button } from "../parts/Button";
import { confirm } from "../parts/Confirm";
import { EmptyState } from "../parts/EmptyState";
import { SelectField, TextField } from "../parts/Field";
import { toast, toastError } from "../parts/Toast";
import { enqueue, recall } from "../uploads/queue";
import { DropZone } from "./DropZone";
import { ProblemState } from "./ProblemState";
import { RenameVideo } from "./RenameVideo";
import type { TabProps } from "./tab";
import { UploadList } from "./UploadList";
import { VideoCard } from "./VideoCard";
import css from "./VideosTab.module.css";
import { arrange, SORTS, type Sort, useVideos } from "./videos";

/** What the file picker offers; the server looks into the file itself. */
const ACCEPT = ".mp4,.mov,.mkv,.webm,.avi,.ogv,.gif,.m4v,.zip,video/*,application/zip";
/** From this number of videos on, search and sorting are offered. */
const MANY = 6;

export function VideosTab({ project, onChange }: TabProps) {
  const loaded = useVideos(project.id);
  const videos = loaded.value;
  const uploads = may(project.role, "upload");
  const [wanted, setWanted] = useState("");
  const [sort, setSort] = useState<Sort>("newest");
  const [renaming, setRenaming] = useState<Video | null>(null);
  const shown = useMemo(() => arrange(videos ?? [], wanted, sort), [videos, wanted, sort]);
  const add = (files: Iterable<File>) => enqueue(project.id, files);

  useEffect(() => {
    if (uploads) recall(project.id);
  }, [project.id, uploads]);

  // Keeps the count on the tab up to date.
  const count = videos?.length;
  useEffect(() => {
    if (count !== undefined && count !== project.videos) onChange({ ...project, videos: count });
  }, [count, project, onChange]);

  if (!videos) {
    if (loaded.problem) return <ProblemState problem={loaded.problem} retry={loaded.reload} />;
    return <Skeleton />;
  }
  const acts = actions(loaded.set, setRenaming);
  return (
    <DropZone enabled={uploads} onFiles={add}>
      {loaded.problem && (
        <p class={css.stale} role="status" data-testid="stale">
          {loaded.problem.status === 0 ? "No connection to the server." : loaded.problem.message} What you see
          may be old; it is asked for again by itself.
        </p>
      )}
      <div class={css.bar}>
        {videos.length >= MANY && (
          <>
            <div class={css.search}>
              <TextField
                label="Search videos"
                bare
                type="search"
                testid="videos-search"
                placeholder="Search"
                value={wanted}
                onInput={setWanted}
              />
            </div>
            <SelectField
              label="Order"
              bare
              testid="videos-sort"
              value={sort}
              options={Object.entries(SORTS).map(([value, name]) => ({ value, name }))}
              onChange={(value) => setSort(value as Sort)}
            />
          </>
        )}
        <span class={css.grow} />
        {uploads && videos.length > 0 && (
          <>
            <span class={css.hint}>or drop files anywhere</span>
            <Pick onFiles={add} tone="accent" />
          </>
        )}
      </div>
      <UploadList project={project.id} />
      {shown.length > 0 && (
        <ul class={css.grid} data-testid="videos">
          {shown.map((video) => (
            <VideoCard key={video.id} video={video} role={project.role} {...acts} />
          ))}
        </ul>
      )}
      {videos.length > 0 && shown.length === 0 && (
        <p class={css.none} data-testid="videos-none">
          No video is called “{wanted}”.
        </p>
      )}
      {videos.length === 0 && <NoVideos uploads={uploads} onFiles={add} />}
      {renaming && (
        <RenameVideo
          video={renaming}
          onClose={() => setRenaming(null)}
          onRenamed={(name) => loaded.set(patch(renaming.id, { name }))}
        />
      )}
    </DropZone>
  );
}

function patch(id: number, change: Partial<Video>): (videos: Video[]) => Video[] {
  return (videos) => videos.map((video) => (video.id === id ? { ...video, ...change } : video));
}

/** Returns what the buttons of a card do. */
function actions(set: (change: (videos: Video[]) => Video[]) => void, rename: (video: Video) => void) {
  const drop = (id: number) => set((videos) => videos.filter((video) => video.id !== id));
  return {
    onRename: rename,
    onCancel: async (video: Video) => {
      try {
        await call("POST", "/api/videos/{video_id}/cancel-import", { path: { video_id: video.id } });
        toast({ text: `The import of ${video.name} is being cancelled.` });
      } catch (error) {
        toastError(error);
      }
    },
    onDelete: async (video: Video) => {
      const worked = video.rounds > 0;
      const agreed =
        video.state !== "ready" ||
        (await confirm({
          title: `Delete ${video.name}?`,
          text: worked
            ? "Its frames, rounds, masks and exports are deleted for everybody. This cannot be undone."
            : "Its frames are deleted for everybody. This cannot be undone.",
          yes: "Delete video",
        }));
      if (!agreed) return;
      try {
        await call("DELETE", "/api/videos/{video_id}", { path: { video_id: video.id } });
        drop(video.id);
        toast({ text: `${video.name} is deleted.` });
      } catch (error) {
        toastError(error);
      }
    },
  };
}

function Pick({ onFiles, tone }: { onFiles: (files: FileList) => void; tone: "accent" | "plain" }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        accept={ACCEPT}
        data-testid="videos-files"
        onChange={(event) => {
          const field = event.currentTarget;
          if (field.files) onFiles(field.files);
          field.value = ""; // so that the same file can be picked again
        }}
      />
      <Button tone={tone} icon={Plus} testid="videos-add" onClick={() => input.current?.click()}>
        Add videos
      </Button>
    </>
  );
}

function NoVideos({ uploads, onFiles }: { uploads: boolean; onFiles: (files: FileList) => void }) {
  if (!uploads) {
    return (
      <EmptyState icon={Film} title="No videos yet" testid="videos-empty">
        Nobody has added one so far. Your role lets you look at what others add.
      </EmptyState>
    );
  }
  return (
    <div class={css.drop}>
      <EmptyState
        icon={Upload}
        title="Drop a video here"
        testid="videos-empty"
        action={<Pick onFiles={onFiles} tone="accent" />}
      >
        mp4, mov, mkv, webm, avi or gif, a zip of images, or a zip in DAVIS layout, whose masks become ground
        truth. Several at once are fine.
      </EmptyState>
    </div>
  );
}

function Skeleton() {
  return (
    <>
      <div class={css.bar} />
      <ul class={css.grid} aria-busy="true" aria-label="Loading videos" data-testid="state-loading">
        {[0, 1, 2, 3].map((index) => (
          <li key={index} class={css.ghost} />
        ))}
      </ul>
    </>
  );
}
