/** The videos of a project as cards or as a table. New files are dropped anywhere on the page or picked. */
import { FileInput, Film, Plus, Shuffle, Upload } from "lucide-preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { call, callAll } from "../api/http";
import { keepList } from "../api/keptList";
import { useLoaded } from "../api/load";
import { may } from "../api/roles";
import type { Card, FetchSources, Member } from "../api/types";
import { ImportMasks } from "../imports/ImportMasks";
import { FromServer, ServerFiles } from "../imports/ServerFiles";
import { Button } from "../parts/Button";
import { confirm } from "../parts/Confirm";
import { EmptyState } from "../parts/EmptyState";
import { toast, toastError } from "../parts/Toast";
import { go } from "../route";
import { enqueue, recall } from "../uploads/queue";
import type { CardList } from "./cardList";
import { DealDialog } from "./DealDialog";
import { DropZone } from "./DropZone";
import { JobsDialog } from "./JobsDialog";
import { ListBar } from "./ListBar";
import { changeList, filterOf, isWhole, listAddress } from "./listAddress";
import { More } from "./More";
import { ProblemLine } from "./ProblemLine";
import { ProblemState } from "./ProblemState";
import { ProjectProgress } from "./ProjectProgress";
import { RenameVideo } from "./RenameVideo";
import { SelectionBar } from "./SelectionBar";
import { useSelected } from "./selected";
import type { TabProps } from "./tab";
import { UploadList } from "./UploadList";
import { VideoCard } from "./VideoCard";
import css from "./VideosTab.module.css";
import { VideoTable } from "./VideoTable";
import { type Cards, useCards } from "./videos";
import { SavedViews } from "./views/SavedViews";

/** The types of files that the browser's dialog offers. The server decides by a file's content, not by its name. */
const ACCEPT = ".mp4,.mov,.mkv,.webm,.avi,.ogv,.gif,.m4v,.zip,video/*,application/zip";
export function VideosTab({ project, onChange }: TabProps) {
  const address = listAddress();
  const filter = filterOf(address);
  const loaded = useCards(project.id, filter);
  const members = useLoaded(`members ${project.id}`, () =>
    callAll("/api/projects/{project_id}/members", { path: { project_id: project.id } }),
  );
  const uploads = may(project.role, "upload");
  const whole = isWhole(address);
  const [open, setOpen] = useState<OpenDialog>(null);
  const add = (files: Iterable<File>) => enqueue(project.id, files);
  // While another filter is loading, the list of before stays, so that nothing jumps.
  const kept = useRef<CardList | null>(null);
  if (loaded.value) kept.current = loaded.value;
  const list = loaded.value ?? kept.current;

  useEffect(() => {
    if (uploads) recall(project.id);
  }, [project.id, uploads]);

  // Keeps the count on the tab up to date.
  const count = whole ? loaded.value?.total : undefined;
  useEffect(() => {
    if (count !== undefined && count !== project.videos) onChange({ ...project, videos: count });
  }, [count, project, onChange]);

  if (!list) {
    if (loaded.problem) return <ProblemState problem={loaded.problem} retry={loaded.reload} />;
    return <Skeleton />;
  }
  const close = () => setOpen(null);
  const fromServer = (sources: FetchSources) => setOpen({ dialog: "server", sources });
  const none = whole && list.total === 0;
  return (
    <DropZone enabled={uploads} onFiles={add}>
      {loaded.problem && (
        <p class={css.stale} role="status" data-testid="stale">
          {loaded.problem.status === 0 ? "No connection to the server." : loaded.problem.message} What you see
          may be old; it is asked for again by itself.
        </p>
      )}
      {!none && <ProjectProgress project={project.id} several={list.total > 1} />}
      {!none && (
        <ListBar
          labels={project.labels}
          people={(members.value ?? []).map(({ user }) => user)}
          views={<SavedViews project={project} />}
        >
          {may(project.role, "manage_jobs") && (
            <Button
              icon={Shuffle}
              testid="jobs-deal"
              onClick={() => setOpen({ dialog: "deal", videos: null })}
            >
              Deal jobs
            </Button>
          )}
          {uploads && (
            <>
              <Button icon={FileInput} testid="masks-import" onClick={() => setOpen({ dialog: "masks" })}>
                Import masks
              </Button>
              <FromServer onOpen={fromServer} />
              <Pick onFiles={add} tone="accent" />
            </>
          )}
        </ListBar>
      )}
      <ProblemLine what="The members" loaded={members} />
      <UploadList project={project.id} />
      {none ? (
        <NoVideos uploads={uploads} onFiles={add} onServer={fromServer} />
      ) : (
        <List
          project={project}
          members={members.value ?? []}
          list={list}
          loaded={loaded}
          waiting={!loaded.value}
          open={setOpen}
        />
      )}
      {open?.dialog === "server" && (
        <ServerFiles project={project} sources={open.sources} onArrived={loaded.reload} onClose={close} />
      )}
      {open?.dialog === "masks" && (
        <ImportMasks
          project={project}
          videos={list.cards.filter((video) => video.state === "ready")}
          onClose={close}
          onDone={loaded.reload}
        />
      )}
      {open?.dialog === "rename" && (
        <RenameVideo
          video={open.video}
          onClose={close}
          onRenamed={(name) => loaded.set(patch(open.video.id, { name }))}
        />
      )}
      {open?.dialog === "jobs" && (
        <JobsDialog
          video={open.video}
          members={members.value ?? []}
          onClose={close}
          onChanged={loaded.reload}
        />
      )}
      {open?.dialog === "deal" && (
        <DealDialog
          project={project}
          members={members.value ?? []}
          videos={open.videos}
          onClose={close}
          onDealt={loaded.reload}
        />
      )}
    </DropZone>
  );
}

/** The dialog that is open. */
type OpenDialog =
  | { dialog: "rename" | "jobs"; video: Card }
  | { dialog: "deal"; videos: readonly number[] | null }
  | { dialog: "masks" }
  | { dialog: "server"; sources: FetchSources }
  | null;

interface ListProps {
  project: TabProps["project"];
  members: readonly Member[];
  list: CardList;
  loaded: Cards;
  /** Another filter is being loaded; what is shown is of the one before. */
  waiting: boolean;
  open: (dialog: OpenDialog) => void;
}

/** The videos that the filters of the address let through, as far as they are loaded. */
function List({ project, members, list, loaded, waiting, open }: ListProps) {
  const { wanted, view } = listAddress();
  const { cards } = list;
  const order = useMemo(() => cards.map((video) => video.id), [cards]);
  const selected = useSelected(order);
  useEffect(() => {
    const ids = cards.filter((video) => video.state === "ready").map((video) => video.id);
    keepList({ project: project.id, ids, address: location.pathname + location.search });
  }, [cards, project.id]);
  const select = useRef(selected.toggle);
  select.current = selected.toggle;
  const onSelect = useMemo(() => (id: number, range: boolean) => select.current(id, range), []);
  const acts = useMemo(() => actions(loaded.set, open), [loaded.set, open]);
  if (cards.length === 0)
    return (
      <p class={css.none} data-testid="videos-none">
        {wanted.trim() ? `No video is called “${wanted.trim()}”` : "No video fits these filters"}.{" "}
        <Button size="small" testid="videos-all" onClick={showAll}>
          Show all
        </Button>
      </p>
    );
  return (
    <div class={waiting ? css.waiting : undefined} aria-busy={waiting}>
      {view === "table" ? (
        <VideoTable
          videos={cards}
          role={project.role}
          selected={selected.ids}
          onSelect={onSelect}
          onSelectAll={(all) => selected.set(all ? order : [])}
          {...acts}
        />
      ) : (
        <ul class={css.grid} data-testid="videos">
          {cards.map((video) => (
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
      {list.next !== null && !waiting && <More onSeen={loaded.more} />}
      {selected.ids.size > 0 && (
        <SelectionBar
          project={project}
          videos={cards.filter((video) => selected.ids.has(video.id))}
          members={members}
          shown={list.total}
          onChanged={loaded.reload}
          onAll={async () => selected.set(await loaded.all())}
          onClear={selected.clear}
          onDeal={() => open({ dialog: "deal", videos: [...selected.ids] })}
          onDeleted={(ids) => loaded.set(without(ids))}
        />
      )}
    </div>
  );
}

function showAll(): void {
  changeList({ wanted: "", state: "any", assignee: "", due: "any", label: "" });
}

function patch(id: number, change: Partial<Card>): (list: CardList) => CardList {
  return (list) => ({
    ...list,
    cards: list.cards.map((video) => (video.id === id ? { ...video, ...change } : video)),
  });
}

function without(ids: ReadonlySet<number>): (list: CardList) => CardList {
  return (list) => {
    const cards = list.cards.filter((video) => !ids.has(video.id));
    return { ...list, cards, total: list.total - (list.cards.length - cards.length) };
  };
}

/** Returns what the buttons of a card do. */
function actions(set: Cards["set"], open: (dialog: OpenDialog) => void) {
  return {
    onRename: (video: Card) => open({ dialog: "rename", video }),
    onJobs: (video: Card) => open({ dialog: "jobs", video }),
    onCancel: async (video: Card) => {
      try {
        await call("POST", "/api/videos/{video_id}/cancel-import", { path: { video_id: video.id } });
        toast({ text: `The import of ${video.name} is being cancelled.` });
      } catch (error) {
        toastError(error);
      }
    },
    onDelete: async (video: Card) => {
      const agreed =
        video.state !== "ready" ||
        (await confirm({
          title: `Delete ${video.name}?`,
          text: "It goes to the trash with its frames, rounds and masks, and is removed after 30 days.",
          yes: "Delete video",
        }));
      if (!agreed) return;
      try {
        await call("DELETE", "/api/videos/{video_id}", { path: { video_id: video.id } });
        set(without(new Set([video.id])));
        toast({
          text: `${video.name} is in the trash.`,
          action: { name: "Trash", perform: () => go("/trash") },
        });
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

interface NoVideosProps {
  uploads: boolean;
  onFiles: (files: FileList) => void;
  onServer: (sources: FetchSources) => void;
}

function NoVideos({ uploads, onFiles, onServer }: NoVideosProps) {
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
        action={
          <>
            <Pick onFiles={onFiles} tone="accent" />
            <FromServer onOpen={onServer} />
          </>
        }
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
