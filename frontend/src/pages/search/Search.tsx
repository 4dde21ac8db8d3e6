/** Finds projects, videos and objects by their names, over all projects of the person. Opened by Ctrl+K on every page. */
import { signal } from "@preact/signals";
import {
  Film,
  FolderOpen,
  ListTodo,
  type LucideIcon,
  Search as SearchIcon,
  Shapes,
  Trash2,
} from "lucide-preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { call } from "../../api/http";
import { useLoaded } from "../../api/load";
import type { Found } from "../../api/types";
import { plural } from "../../format";
import { Kbd } from "../../parts/Kbd";
import { go, route } from "../../route";
import { mayLeave } from "../leave";
import css from "./Search.module.css";

const opened = signal(false);
/** The pause after a key, so that the server is asked for words and not for letters. */
const PAUSE_MS = 150;

export function openSearch(): void {
  opened.value = true;
}

/** The key that opens the search, as this machine's keyboard has it. */
export const SEARCH_KEY = /Mac|iPhone|iPad/.test(navigator.userAgent) ? "Cmd+K" : "Ctrl+K";

/** Opens the search with its key, and shows it while it is open. */
export function Search() {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      if (event.shiftKey || event.altKey || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      opened.value = true;
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  return opened.value ? <SearchDialog /> : null;
}

/** A place that the search leads to. */
export interface Place {
  href: string;
  name: string;
  /** Where it stands: the project of a video, the video of an object. */
  note: string;
  icon: LucideIcon;
  group: string;
}

const PLACES: Place[] = [
  { href: "/", name: "Projects", note: "", icon: FolderOpen, group: "Pages" },
  { href: "/work", name: "My work", note: "", icon: ListTodo, group: "Pages" },
  { href: "/trash", name: "Trash", note: "", icon: Trash2, group: "Pages" },
];

/** Returns what was found as places, in the order in which they are shown. */
export function placesOf({ projects, videos, objects }: Found): Place[] {
  return [
    ...projects.map(({ id, name }) => ({
      href: `/projects/${id}`,
      name,
      note: "",
      icon: FolderOpen,
      group: "Projects",
    })),
    ...videos.map(({ id, name, project_name, frame_count, archived }) => ({
      href: `/videos/${id}`,
      name,
      note: [project_name, plural(frame_count, "frame"), archived && "archived"].filter(Boolean).join(" · "),
      icon: Film,
      group: "Videos",
    })),
    ...objects.map(({ video, number, name, video_name, project_name }) => ({
      href: `/videos/${video}#object=${number}`,
      name,
      note: `${video_name} · ${project_name}`,
      icon: Shapes,
      group: "Objects",
    })),
  ];
}

function SearchDialog() {
  const from = useRef(route.value);
  const [typed, setTyped] = useState("");
  const [asked, setAsked] = useState("");
  const [at, setAt] = useState(0);
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  const close = () => {
    opened.value = false;
  };
  // The Back button leads to another page, for which the search was not opened.
  const left = route.value !== from.current;
  useEffect(() => {
    if (left) close();
  }, [left]);
  useLayoutEffect(() => {
    const dialog = element.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(typed.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const loaded = useLoaded(`search ${asked}`, () =>
    asked ? call("GET", "/api/search", { query: { q: asked } }) : Promise.resolve(null),
  );
  // While the next words are looked for, what was found stays, so that nothing jumps.
  const kept = useRef<Place[]>([]);
  const waiting = typed.trim() !== asked || (Boolean(asked) && !loaded.value && !loaded.problem);
  if (loaded.value) kept.current = placesOf(loaded.value);
  const places = typed.trim() ? (loaded.problem ? [] : kept.current) : PLACES;
  const chosen = Math.min(at, places.length - 1);

  const leave = async (place: Place | undefined) => {
    if (!place) return;
    close();
    if (await mayLeave()) go(place.href);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation(); // Keys of the search are not for the page.
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && places.length) setAt((chosen + step + places.length) % places.length);
    else if (event.key === "Enter" && !waiting) leave(places[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <dialog
      ref={element}
      class={css.dialog}
      aria-label="Search"
      data-testid="search"
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onPointerDown={(event) => event.target === element.current && close()}
      onKeyDown={onKeyDown}
    >
      <div class={css.frame}>
        <div class={css.line}>
          <SearchIcon size={17} aria-hidden="true" />
          <input
            class={css.input}
            type="text"
            role="combobox"
            aria-expanded="true"
            aria-controls={`${id}-list`}
            aria-activedescendant={places.length ? `${id}-${chosen}` : undefined}
            aria-label="Search projects, videos and objects"
            placeholder="Search projects, videos and objects"
            autocomplete="off"
            spellcheck={false}
            autofocus
            maxLength={200}
            data-testid="search-input"
            value={typed}
            onInput={(event) => {
              setTyped(event.currentTarget.value);
              setAt(0);
            }}
          />
          <Kbd keys="Escape" />
        </div>
        <Results id={id} places={places} chosen={chosen} waiting={waiting} onChoose={leave} onPoint={setAt} />
        {!waiting && places.length === 0 && (
          <p class={css.none} role="status" data-testid="search-none">
            {loaded.problem ? loaded.problem.message : `Nothing of yours is called “${asked}”.`}
          </p>
        )}
        {waiting && places.length === 0 && <p class={css.none}>Searching…</p>}
      </div>
    </dialog>
  );
}

interface ResultsProps {
  id: string;
  places: readonly Place[];
  chosen: number;
  waiting: boolean;
  onChoose: (place: Place) => void;
  onPoint: (index: number) => void;
}

function Results({ id, places, chosen, waiting, onChoose, onPoint }: ResultsProps) {
  useEffect(() => {
    document.getElementById(`${id}-${chosen}`)?.scrollIntoView({ block: "nearest" });
  }, [id, chosen]);
  return (
    <div id={`${id}-list`} role="listbox" aria-label="Found" aria-busy={waiting} class={css.list}>
      {places.map((place, index) => (
        <div key={`${place.group} ${place.href} ${place.name}`} role="presentation">
          {places[index - 1]?.group !== place.group && <div class={css.group}>{place.group}</div>}
          <a
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === chosen}
            tabIndex={-1}
            href={place.href}
            class={css.place}
            data-testid={`search-place-${index}`}
            onPointerMove={() => onPoint(index)}
            onClick={(event) => {
              if (event.ctrlKey || event.metaKey || event.shiftKey) return; // opens another tab
              event.preventDefault();
              event.stopPropagation();
              onChoose(place);
            }}
          >
            <place.icon size={15} aria-hidden="true" />
            <span class={css.name}>{place.name}</span>
            <small>{place.note}</small>
          </a>
        </div>
      ))}
    </div>
  );
}
