/** Which rounds of the list are loaded after a page of it, or a new state of the video, has come. */
import type { RoundInfo } from "../protocol";
import type { LoadedRun, Older } from "./store";

/** Returns the newest rounds that follow one another, among those that are loaded. Null if there are none. */
export function runOf(loaded: readonly RoundInfo[], older: Older | null): LoadedRun | null {
  const newest = Math.max(...loaded.map(({ id }) => id));
  return newest >= (older?.before ?? 0) ? { newest, older } : null;
}

/**
 * Returns the rounds that are not loaded below the list, which was loaded down to `older`. If it has reached the
 * rounds `run`, these are the ones below them.
 */
export function joinedTo(run: LoadedRun | null, older: Older): Older | null {
  if (!run || run.newest < older.before) return older;
  return (run.older?.before ?? 0) < older.before ? run.older : older;
}
