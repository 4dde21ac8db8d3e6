/** The videos of a project in pages: filtered and sorted by the server, which tells over a socket what has changed. */
import { useEffect, useRef, useState } from "preact/hooks";
import { call, type HttpProblem } from "../api/http";
import { asProblem, useLoaded } from "../api/load";
import type { Card, CardFilter } from "../api/types";
import { toastError } from "../parts/Toast";
import { onArrived } from "../uploads/queue";
import { type CardList, joined } from "./cardList";
import { useLiveList } from "./liveList";

/** The pause between two requests while something is imported or a round runs and no socket tells of it. */
const BUSY_MS = 1000;
/** The pause otherwise, so that what others do appears. */
const IDLE_MS = 15_000;
/** The pause while a socket tells of changes: what one message or one answer lost appears all the same. */
const LIVE_MS = 60_000;
/** The number of videos of a page of the list. */
export const PAGE = 60;
const MOST_AT_ONCE = 200; // that one request answers

export interface Cards {
  value: CardList | null;
  problem: HttpProblem | null;
  reload: () => Promise<void>;
  set: (change: (list: CardList) => CardList) => void;
  /** Adds the next page. */
  more: () => Promise<void>;
  /** Loads all that the filter lets through, and returns their ids. */
  all: () => Promise<number[]>;
}

export function isBusy(videos: readonly Pick<Card, "state" | "running">[] | null | undefined): boolean {
  return Boolean(videos?.some((video) => video.state === "importing" || video.running));
}

/** Loads videos until there are `least`, or all: those after `before`, or from the beginning. */
async function load(
  project: number,
  filter: CardFilter,
  least: number,
  before: CardList | null = null,
): Promise<CardList> {
  const list: CardList = before
    ? { ...before, cards: [...before.cards] }
    : { cards: [], total: 0, next: null };
  do {
    const wanted = Math.min(MOST_AT_ONCE, Math.max(PAGE, least - list.cards.length));
    const part = await call("GET", "/api/projects/{project_id}/cards", {
      path: { project_id: project },
      query: { ...filter, limit: wanted, ...(list.next === null ? {} : { after: list.next }) },
    });
    list.cards.push(...part.cards);
    list.total = part.total ?? list.total;
    list.next = part.next;
  } while (list.next !== null && list.cards.length < least);
  return list;
}

export function useCards(project: number, filter: CardFilter): Cards {
  const key = `cards ${project} ${JSON.stringify(filter)}`;
  const held = useRef({ key, count: PAGE });
  if (held.current.key !== key) held.current = { key, count: PAGE };
  const loaded = useLoaded(key, () => load(project, filter, held.current.count));
  const { reload } = loaded;
  held.current.count = Math.max(PAGE, loaded.value?.cards.length ?? 0);
  const [adding, setAdding] = useState(false);
  const live = useLiveList(project, {
    key,
    value: loaded.value,
    order: filter.order,
    reload,
    set: loaded.set,
    ask: async (ids) => {
      const query = { ...filter, ids: ids.join(","), limit: MOST_AT_ONCE };
      return (await call("GET", "/api/projects/{project_id}/cards", { path: { project_id: project }, query }))
        .cards;
    },
  });
  const few = held.current.count <= MOST_AT_ONCE; // Else one look takes several requests.
  const told = live && !loaded.problem;
  usePolling(reload, told ? LIVE_MS : few && isBusy(loaded.value?.cards) ? BUSY_MS : IDLE_MS);
  useEffect(() => onArrived((of) => of === project && reload()), [project, reload]);

  /** Adds pages until there are `to` videos, or all. Returns them, null if a request failed. */
  const grow = async (to: number): Promise<CardList | null> => {
    const before = loaded.value;
    if (!before || adding) return before;
    setAdding(true);
    try {
      const list = await load(project, filter, to, before);
      held.current.count = Math.max(PAGE, list.cards.length); // For a look that begins before the page shows the list.
      loaded.set((old) => joined(old, list));
      return list;
    } catch (error) {
      toastError(asProblem(error));
      return null;
    } finally {
      setAdding(false);
    }
  };
  return {
    value: loaded.value,
    problem: loaded.problem,
    reload,
    set: loaded.set,
    more: async () => {
      if (loaded.value?.next) await grow(loaded.value.cards.length + PAGE);
    },
    all: async () => (await grow(Number.MAX_SAFE_INTEGER))?.cards.map(({ id }) => id) ?? [],
  };
}

/** Calls `reload` when the window is looked at again, and every `pause` ms, one call at a time. */
function usePolling(reload: () => Promise<void>, pause: number): void {
  useEffect(() => {
    addEventListener("focus", reload);
    return () => removeEventListener("focus", reload);
  }, [reload]);
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
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, [pause, reload]);
}

/** The orders of the list, by the name that the address has for them. */
export const SORTS = {
  newest: { name: "Newest first", order: "added" },
  name: { name: "Name", order: "name" },
  worked: { name: "Last worked on", order: "worked" },
  due: { name: "Due date", order: "due" },
  priority: { name: "Priority", order: "priority" },
  progress: { name: "Least accepted", order: "progress" },
  longest: { name: "Longest first", order: "frames" },
} as const satisfies Record<string, { name: string; order: CardFilter["order"] }>;
export type Sort = keyof typeof SORTS;

/** What the list can be limited to, by the name that the address has for it. */
export const STATES = {
  any: { name: "Any state", filter: {} },
  new: { name: "New", filter: { stage: "annotation", job_state: "new" } },
  in_progress: { name: "In progress", filter: { stage: "annotation", job_state: "in_progress" } },
  rejected: { name: "Rejected", filter: { stage: "annotation", job_state: "rejected" } },
  completed: { name: "Completed", filter: { stage: "annotation", job_state: "completed" } },
  review: { name: "To review", filter: { stage: "validation" } },
  accepted: { name: "Accepted", filter: { stage: "acceptance" } },
  importing: { name: "Importing", filter: { state: "importing" } },
  failed: { name: "Import failed", filter: { state: "failed" } },
  archived: { name: "Archived", filter: { archived: true } },
} as const satisfies Record<string, { name: string; filter: CardFilter }>;
export type StateFilter = keyof typeof STATES;

export const DUES = {
  any: "Any due date",
  overdue: "Overdue",
  today: "Due today",
  week: "Due this week",
  none: "No due date",
} as const;
export type DueFilter = keyof typeof DUES;
