/** The span of frames that is selected on the timeline. */
import type { Range } from "../state/ranges";
import type { Studio } from "../studio/studio";
import { seek } from "./playback";

/**
 * Returns the selected span, else the frame in view alone.
 * An effect that calls it runs again on a change.
 */
export function spanInUse({ store }: Studio): Range {
  return store.selection.value ?? [store.frame.value, store.frame.value];
}

/**
 * Moves the playhead by some frames and the end of the selection with it. Without a selection, one begins at the frame
 * in view.
 */
export function extendSelection(studio: Studio, by: number): void {
  const { store } = studio;
  const at = store.frame.peek();
  const selected = store.selection.peek();
  const inside = selected && (at === selected[0] || at === selected[1]);
  // The end that is not under the playhead stays.
  const anchor = selected && inside ? (at === selected[0] ? selected[1] : selected[0]) : at;
  seek(studio, at + by);
  const to = store.frame.peek();
  store.selection.value = [Math.min(anchor, to), Math.max(anchor, to)];
}
