/** The list of videos that a video was opened from, kept so that the studio can go to its next one and back to it. */
const KEY = "maskwright.list";

/** A list of videos as a page has shown it: filtered, sorted, and the address at which it stands. */
export interface KeptList {
  project: number;
  ids: readonly number[];
  address: string;
}

/** Keeps the list for as long as the tab is open. A browser that keeps nothing has the whole project instead. */
export function keepList(list: KeptList): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(list));
  } catch {
    // Private windows may refuse it.
  }
}

export function keptList(project: number): KeptList | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    return kept?.project === project && Array.isArray(kept.ids) ? kept : null;
  } catch {
    return null;
  }
}
