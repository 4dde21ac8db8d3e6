/** The dialog in which the server is told to get videos itself: chosen from its folder and buckets, or by address. */
import { ArrowUp, File, Folder, FolderInput } from "lucide-preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { asProblem, useLoaded } from "../api/load";
import type { Fetch, FetchSources, Project, ServerEntry } from "../api/types";
import { bytes, plural } from "../format";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { TextField } from "../parts/Field";
import { FramedList, ListGhost, RowText } from "../parts/FramedList";
import { Progress } from "../parts/Progress";
import {
  beginFetch,
  cancelFetch,
  FETCH_POLL,
  folderAbove,
  isOpen,
  listFiles,
  loadSources,
  nameOf,
  newestFetches,
} from "./fetches";
import css from "./ServerFiles.module.css";

/** The button that opens the dialog. It is not there where the site gets no files itself. */
export function FromServer({ onOpen }: { onOpen: (sources: FetchSources) => void }) {
  const { value } = useLoaded("fetch sources", loadSources);
  if (!value || !(value.folder || value.buckets || value.addresses)) return null;
  return (
    <Button icon={FolderInput} testid="server-files-open" onClick={() => onOpen(value)}>
      From the server
    </Button>
  );
}

export interface ServerFilesProps {
  project: Project;
  sources: FetchSources;
  /** Called when a file has become a video. */
  onArrived: () => void;
  onClose: () => void;
}

export function ServerFiles({ project, sources, onArrived, onClose }: ServerFilesProps) {
  const [problem, setProblem] = useState("");
  const fetches = useFetches(project.id, onArrived);
  /** Lets the server get these sources one after the other, and returns those that it refused. */
  const begin = async (wanted: readonly string[]): Promise<string[]> => {
    setProblem("");
    const refused: string[] = [];
    for (const source of wanted)
      try {
        await beginFetch(project.id, source);
      } catch (error) {
        refused.push(source);
        setProblem(asProblem(error).message);
      }
    await fetches.reload();
    return refused;
  };
  const cancel = async (row: Fetch) => {
    setProblem("");
    try {
      await cancelFetch(row);
    } catch (error) {
      setProblem(asProblem(error).message);
    }
    await fetches.reload();
  };
  return (
    <Dialog title="Videos from the server" testid="server-files" size="wide" onClose={onClose}>
      <div class={css.parts}>
        {(sources.folder || sources.buckets) && <Browser project={project.id} onChosen={begin} />}
        {sources.addresses && <Address onGiven={begin} />}
        {(problem || fetches.problem) && (
          <p class={css.problem} role="alert" data-testid="server-files-problem">
            {problem || fetches.problem}
          </p>
        )}
        {fetches.rows.length > 0 && (
          <FramedList testid="fetches" label="Files on their way">
            {fetches.rows.map((row) => (
              <FetchRow key={row.id} row={row} onCancel={() => cancel(row)} />
            ))}
          </FramedList>
        )}
      </div>
    </Dialog>
  );
}

/** Asks for the fetches of the project, again each second while one of them is open. */
function useFetches(project: number, onArrived: () => void) {
  const loaded = useLoaded(`fetches ${project}`, () => newestFetches(project));
  const rows = loaded.value ?? [];
  const open = rows.some(isOpen);
  const known = useRef<ReadonlySet<number> | null>(null); // Those whose video the list has already.
  const arrived = useRef(onArrived);
  arrived.current = onArrived;
  useEffect(() => {
    if (!loaded.value) return;
    const done = loaded.value.filter(({ state }) => state === "done").map(({ id }) => id);
    const before = known.current;
    known.current = new Set(done);
    if (before && done.some((id) => !before.has(id))) arrived.current();
  }, [loaded.value]);
  useEffect(() => {
    if (!open) return;
    const timer = setInterval(loaded.reload, FETCH_POLL.ms);
    return () => clearInterval(timer);
  }, [open, loaded.reload]);
  return { rows, reload: loaded.reload, problem: loaded.problem?.message ?? "" };
}

interface BrowserProps {
  project: number;
  onChosen: (sources: readonly string[]) => Promise<string[]>;
}

/** The folders of the server, of which files and whole folders can be chosen. */
function Browser({ project, onChosen }: BrowserProps) {
  const [path, setPath] = useState("");
  const [tops, setTops] = useState<readonly string[]>([]);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [busy, setBusy] = useState(false);
  const files = useLoaded(`server files ${project} ${path}`, () => listFiles(project, path));
  const go = (to: string) => {
    if (path === "") setTops((files.value ?? []).map((entry) => entry.path));
    setChosen([]);
    setPath(to);
  };
  const toggle = (name: string) =>
    setChosen((old) => (old.includes(name) ? old.filter((each) => each !== name) : [...old, name]));
  const bring = async () => {
    setBusy(true);
    setChosen(await onChosen(chosen));
    setBusy(false);
  };
  return (
    <section class={css.browser} aria-label="Files on the server">
      <header class={css.place}>
        <Button
          size="small"
          icon={ArrowUp}
          testid="server-files-up"
          disabled={path === ""}
          onClick={() => go(folderAbove(path, tops))}
        >
          Up
        </Button>
        <span data-testid="server-files-path">{path || "All folders"}</span>
      </header>
      {files.problem && (
        <p class={css.problem} role="alert" data-testid="server-files-unreadable">
          {files.problem.message}
        </p>
      )}
      {!files.value && !files.problem && <ListGhost />}
      {files.value && (
        <FramedList testid="server-files-list" label={path || "All folders"} class={css.list}>
          {files.value.map((entry) => (
            <EntryRow
              key={entry.path}
              entry={entry}
              chosen={chosen.includes(entry.path)}
              onToggle={() => toggle(entry.path)}
              onOpen={() => go(entry.path)}
            />
          ))}
          {files.value.length === 0 && <li>This folder is empty.</li>}
        </FramedList>
      )}
      <div class={css.foot}>
        <Button
          tone="accent"
          testid="server-files-bring"
          disabled={chosen.length === 0}
          busy={busy}
          onClick={bring}
        >
          {chosen.length ? `Bring in ${plural(chosen.length, "video")}` : "Bring in"}
        </Button>
      </div>
    </section>
  );
}

interface EntryRowProps {
  entry: ServerEntry;
  chosen: boolean;
  onToggle: () => void;
  onOpen: () => void;
}

/** A file or a folder. A folder can be chosen as a whole: its images become one video. */
function EntryRow({ entry, chosen, onToggle, onOpen }: EntryRowProps) {
  const Icon = entry.is_folder ? Folder : File;
  const name = nameOf(entry.path);
  return (
    <li>
      <input
        type="checkbox"
        checked={chosen}
        aria-label={`Bring in ${name}`}
        data-testid={`server-file-${name}`}
        onChange={onToggle}
      />
      <Icon size={16} aria-hidden="true" />
      <RowText note={entry.is_folder ? undefined : bytes(entry.size)}>{name}</RowText>
      {entry.is_folder && (
        <Button size="small" testid={`server-folder-${name}`} onClick={onOpen}>
          Open
        </Button>
      )}
    </li>
  );
}

function Address({ onGiven }: { onGiven: (sources: readonly string[]) => Promise<string[]> }) {
  const [address, setAddress] = useState("");
  const [busy, setBusy] = useState(false);
  const bring = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!address.trim()) return;
    setBusy(true);
    const refused = await onGiven([address.trim()]);
    if (refused.length === 0) setAddress("");
    setBusy(false);
  };
  return (
    <form class={css.address} onSubmit={bring}>
      <TextField
        label="Address of a video"
        testid="server-address"
        placeholder="https://example.org/clip.mp4"
        maxLength={1000}
        value={address}
        onInput={setAddress}
      />
      <Button type="submit" testid="server-address-bring" busy={busy} disabled={!address.trim()}>
        Get it
      </Button>
    </form>
  );
}

const STATES = {
  queued: "waits for a worker",
  running: "on its way",
  done: "is here",
  failed: "failed",
  cancelled: "was cancelled",
};

function FetchRow({ row, onCancel }: { row: Fetch; onCancel: () => void }) {
  const size = row.progress_total || row.progress_done;
  const note = row.error || `${STATES[row.state]}${size ? `, ${bytes(size)}` : ""}`;
  return (
    <li data-testid={`fetch-${row.id}`}>
      <RowText note={<span class={row.error ? css.bad : undefined}>{note}</span>}>
        {nameOf(row.source)}
      </RowText>
      {isOpen(row) && (
        <>
          <div class={css.bar}>
            <Progress
              value={row.progress_total ? row.progress_done / row.progress_total : null}
              label={`Getting ${nameOf(row.source)}`}
              testid={`fetch-progress-${row.id}`}
            />
          </div>
          <Button size="small" testid={`fetch-cancel-${row.id}`} onClick={onCancel}>
            Cancel
          </Button>
        </>
      )}
      {row.video !== null && <a href={`/videos/${row.video}`}>Open the video</a>}
    </li>
  );
}
