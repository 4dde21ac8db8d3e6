/** How the list of videos is shown, as it stands in the address: words, order, filters, and cards or a table. */
import { query, setQuery } from "../route";
import { SORTS, type Sort, STATES, type StateFilter } from "./videos";

export type View = "cards" | "table";

export interface ListAddress {
  wanted: string;
  sort: Sort;
  state: StateFilter;
  view: View;
}

/** Reads the address. What it does not say, or says wrongly, is the default. */
export function listAddress(): ListAddress {
  const asked = query.value;
  const sort = asked.get("order") ?? "";
  const state = asked.get("state") ?? "";
  return {
    wanted: asked.get("q") ?? "",
    sort: Object.hasOwn(SORTS, sort) ? (sort as Sort) : "newest",
    state: Object.hasOwn(STATES, state) ? (state as StateFilter) : "any",
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
    view: next.view === "cards" ? null : next.view,
  });
}
