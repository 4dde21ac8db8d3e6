/** The videos of a project as cards or as a table. New files are dropped anywhere on the page or picked. */
import { FileInput, Film, Plus, Upload } from "lucide-preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { call } from "../api/http";
import { keepList } from "../api/keptList";
import { may } from "../api/roles";
import type { Video } from "../api/types";
import { ImportMasks } from "../imports/ImportMasks";
import { Button } from "../parts/Button";
import { confirm } from "../parts/Confirm";
import { EmptyState } from "../parts/EmptyState";
import { toast, toastError } from "../parts/Toast";
import { enqueue, recall } from "../uploads/queue";
import { DropZone } from "./DropZone";
import { ListBar } from "./ListBar";
import { changeList, listAddress } from "./listAddress";
import { More } from "./More";
import { ProblemState } from "./ProblemState";
import { RenameVideo } from "./RenameVideo";
import { SelectionBar } from "./SelectionBar";
import { useSelected } from "./selected";
import type { TabProps } from "./tab";
import { UploadList } from "./UploadList";
import { VideoCard } from "./VideoCard";
import css from "./VideosTab.module.css";
import { VideoTable } from "./VideoTable";
import { arrange, useVideos } from "./videos";

/** What the file picker offers; the server looks into the file itself. */
const ACCEPT = ".mp4,.mov,.mkv,.webm,.avi,.ogv,.gif,.m4v,.zip,video/*,application/zip";
/** The number of videos that are shown at first, and that each step towards the end of the list adds. */
const STEP = 60;

export function VideosTab({ project, onChange }: TabProps) {
  const loaded = useVideos(project.id);
  const videos = loaded.value;
  const uploads = may(project.role, "upload");
  const [importing, setImporting] = useState(false);
  const [renaming, setRenaming] = useState<Video | null>(null);
  const add = (files: Iterable<File>) => enqueue(project.id, files);
  const acts = useMemo(() => actions(loaded.set, setRenaming), [loaded.set]);

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
  return (
    <DropZone enabled={uploads} onFiles={add}>
      {loaded.problem && (
        <p class={css.stale} role="status" data-testid="stale">
          {loaded.problem.status === 0 ? "No connection to the server." : loaded.problem.message} What you see
          may be old; it is asked for again by itself.
        </p>
      )}
      {videos.length > 0 && (
        <ListBar>
          {uploads && (
            <>
              <span class={css.hint}>or drop files anywhere</span>
              <Button icon={FileInput} testid="masks-import" onClick={() => setImporting(true)}>
                Import masks
              </Button>
              <Pick onFiles={add} tone="accent" />
            </>
          )}
        </ListBar>
      )}
      <UploadList project={project.id} />
      {videos.length > 0 && (
        <List
          project={project}
          videos={videos}
          acts={acts}
          onDeleted={(ids) => loaded.set((old) => old.filter((video) => !ids.has(video.id)))}
        />
      )}
      {videos.length === 0 && <NoVideos uploads={uploads} onFiles={add} />}
      {importing && (
        <ImportMasks
          project={project}
          videos={videos.filter((video) => video.state === "ready")}
          onClose={() => setImporting(false)}
          onDone={loaded.reload}
        />
      )}
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

interface ListProps {
  project: TabProps["project"];
  videos: Video[];
  acts: ReturnType<typeof actions>;
  onDeleted: (ids: ReadonlySet<number>) => void;
}

/** The videos that the filters of the address let through, the first part of them at first. */
function List({ project, videos, acts, onDeleted }: ListProps) {
  const { wanted, sort, state, view } = listAddress();
  const shown = useMemo(() => arrange(videos, wanted, sort, state), [videos, wanted, sort, state]);
  const order = useMemo(() => shown.map((video) => video.id), [shown]);
  const selected = useSelected(order);
  useEffect(() => {
    const ids = shown.filter((video) => video.state === "ready").map((video) => video.id);
    keepList({ project: project.id, ids, address: location.pathname + location.search });
  }, [shown, project.id]);
  const [length, setLength] = useState(STEP);
  useEffect(() => setLength(STEP), [wanted, sort, state]);
  const select = useRef(selected.toggle);
  select.current = selected.toggle;
  const onSelect = useMemo(() => (id: number, range: boolean) => select.current(id, range), []);
  const part = shown.slice(0, length);
  if (shown.length === 0)
    return (
      <p class={css.none} data-testid="videos-none">
        {wanted ? `No video is called “${wanted}”` : "No video is in this state"}.{" "}
        <Button size="small" testid="videos-all" onClick={() => changeList({ wanted: "", state: "any" })}>
          Show all
        </Button>
      </p>
    );
  return (
    <>
      {view === "table" ? (
        <VideoTable
          videos={part}
          role={project.role}
          selected={selected.ids}
          onSelect={onSelect}
          onSelectAll={(all) => selected.set(all ? order : [])}
          {...acts}
        />
      ) : (
        <ul class={css.grid} data-testid="videos">
          {part.map((video) => (
            <VideoCard
              key={video.id}
              video={video}
              role={project.role}
              selected={selected.ids.has(video.id)}
              onSelect={onSelect}
              {...acts}
            />
          ))}
        </ul>
      )}
      {length < shown.length && <More onSeen={() => setLength(length + STEP)} />}
      {selected.ids.size > 0 && (
        <SelectionBar
          project={project}
          videos={shown.filter((video) => selected.ids.has(video.id))}
          shown={shown.length}
          onAll={() => selected.set(order)}
          onClear={selected.clear}
          onDeleted={onDeleted}
        />
      )}
    </>
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
