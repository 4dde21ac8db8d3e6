/**
 * Keeps the loaded masks within a budget of bytes. Evicted masks are loaded again over HTTP when they are needed. The
 * masks of the shown line are never evicted, because the loader would request them again at once.
 */
import { effect, untracked } from "@preact/signals";
import { isActive, membersOf } from "../state/line";
import type { Store } from "../state/store";

const BUDGET = 256 * 1024 * 1024; // bytes
const LEFT = 7 / 8; // the part of the budget that eviction goes down to, so that it does not run for each mask

/** Starts watching. Returns a function that stops it. */
export function keepRoom(store: Store, budget = BUDGET): () => void {
  return effect(() => {
    store.masks.version.value; // subscribes to changes
    if (store.masks.bytes > budget) untracked(() => makeRoom(store, budget * LEFT));
  });
}

/**
 * Evicts masks that are neither shown nor on the head's line first, then those that were not used for the longest
 * time.
 */
function makeRoom(store: Store, limit: number): void {
  const { masks, summaries, summariesBefore, view } = store;
  const rounds = store.rounds.value;
  const shown = view.value.mode === "changes" ? [summaries.value, summariesBefore.value] : [summaries.value];
  const [onShown, onHead] = [membersOf(store.line.value), membersOf(store.headLine.value)];
  const needed = (id: number): boolean => onShown(id) || onHead(id);
  const byUse = masks.byUse();
  const aside = byUse.filter((id) => !needed(id)).sort((a, b) => a - b);
  for (const id of [...aside, ...byUse.filter(needed)]) {
    if (masks.bytes <= limit) return;
    if (isActive(rounds.get(id))) continue; // The progress of a running round is derived from its masks.
    masks.drop(id, limit, (frame) => shown.some((some) => some[frame]?.round === id));
  }
}
