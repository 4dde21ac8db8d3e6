/** How the list of videos is shown, as it stands in the address: words, order, filters, and cards or a table. */
import type { CardFilter } from "../api/types";
import { query, setQuery } from "../route";
import { DUES, type DueFilter, SORTS, type Sort, STATES, type StateFilter } from "./videos";

export type View = "cards" | "table";

export interface ListAddress {
  wanted: string;
  sort: Sort;
  state: StateFilter;
  /** "" for everybody, "me", "none", or the id of a person. */
  assignee: string;
  due: DueFilter;
  /** The id of a label, "" for all. */
  label: string;
  view: View;
}

function oneOf<Name extends string>(names: Record<Name, unknown>, name: string | null, usual: Name): Name {
  return name !== null && Object.hasOwn(names, name) ? (name as Name) : usual;
}

/** Reads the address. What it does not say, or says wrongly, is the default. */
export function listAddress(): ListAddress {
  const asked = query.value;
  const assignee = asked.get("assignee") ?? "";
  const label = asked.get("label") ?? "";
  return {
    wanted: (asked.get("q") ?? "").slice(0, 200),
    sort: oneOf(SORTS, asked.get("order"), "newest"),
    state: oneOf(STATES, asked.get("state"), "any"),
    assignee: /^(me|none|[1-9]\d{0,8})$/.test(assignee) ? assignee : "",
    due: oneOf(DUES, asked.get("due"), "any"),
    label: /^[1-9]\d{0,8}$/.test(label) ? label : "",
    view: asked.get("view") === "table" ? "table" : "cards",
  };
}

/** Writes what differs from the default into the address. */
export function changeList(change: Partial<ListAddress>): void {
  const next = { ...listAddress(), ...change };
  setQuery({
    q: next.wanted,
    order: next.sort === "newest" ? null : next.sort,
    state: next.state === "any" ? null : next.state,
    assignee: next.assignee,
    due: next.due === "any" ? null : next.due,
    label: next.label,
    view: next.view === "cards" ? null : next.view,
  });
}

/** Whether no search and no filter limits the list, so that it shows all videos of the project. */
export function isWhole({ wanted, state, assignee, due, label }: ListAddress): boolean {
  return !wanted.trim() && state === "any" && !assignee && due === "any" && !label;
}

/** What the server is asked for. */
export function filterOf(address: ListAddress): CardFilter {
  const { wanted, sort, state, assignee, due, label } = address;
  return {
    order: SORTS[sort].order,
    ...STATES[state].filter,
    ...(wanted.trim() ? { q: wanted.trim() } : {}),
    ...(assignee ? { assignee } : {}),
    ...(due === "any" ? {} : { due }),
    ...(label ? { label: Number(label) } : {}),
  };
}

const NAMES = ["q", "order", "state", "assignee", "due", "label", "view"];

/** Returns the part of a query that says how the list is shown, in one order, so that two of them can be compared. */
export function listQuery(shown: URLSearchParams): string {
  const kept = new URLSearchParams();
  for (const name of NAMES) {
    const value = shown.get(name);
    if (value) kept.set(name, value);
  }
  return kept.toString();
}
