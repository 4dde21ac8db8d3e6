/**
 * Keeps the masks of a long day within a budget. What is dropped comes again over HTTP when it is wanted. What the page
 * shows now stays, whatever it takes: one mask a frame, and the loader would fetch it again at once.
 */
import { effect, untracked } from "@preact/signals";
import { isActive } from "../state/line";
import type { Store } from "../state/store";

const BUDGET = 256 * 1024 * 1024; // bytes
const LEFT = 7 / 8; // of the budget, so that not every mask that comes in looks for one to drop

/** Watches until the function that it returns is called. */
export function keepRoom(store: Store, budget = BUDGET): () => void {
  return effect(() => {
    store.masks.version.value; // read to follow it
    if (store.masks.bytes > budget) untracked(() => makeRoom(store, budget * LEFT));
  });
}

/** First what is neither shown nor on the head's line, oldest round first; then what was not used for longest. */
function makeRoom(store: Store, limit: number): void {
  const { masks, facts, factsBefore, view } = store;
  const rounds = store.rounds.value;
  const shown = view.value.mode === "changes" ? [facts.value, factsBefore.value] : [facts.value];
  const lines = new Set([...store.line.value, ...store.headLine.value]);
  const byUse = masks.byUse();
  const aside = byUse.filter((id) => !lines.has(id)).sort((a, b) => a - b);
  for (const id of [...aside, ...byUse.filter((other) => lines.has(other))]) {
    if (masks.bytes <= limit) return;
    if (isActive(rounds.get(id))) continue; // how far it is, is read from its masks
    masks.drop(id, limit, (frame) => shown.some((some) => some[frame]?.round === id));
  }
}
