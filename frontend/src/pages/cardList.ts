/** The loaded part of a project's list of videos, and how it changes without being loaded again. */
import type { Card, CardFilter } from "../api/types";
import type { VideosChanged } from "../protocol";

export interface CardList {
  cards: Card[];
  /** How many videos there are in all that the filter lets through. */
  total: number;
  /** Where the next page begins; null: these are all. */
  next: string | null;
}

/** Returns the list with the progress of imports that the project's socket has sent; nothing is asked of the server. */
export function withProgress(list: CardList, progress: VideosChanged["progress"]): CardList {
  const told = new Map(progress.map((part) => [part.video, part]));
  const cards = list.cards.map((card) => {
    const at = told.get(card.id);
    return at ? { ...card, progress_done: at.done, progress_total: at.total } : card;
  });
  return { ...list, cards };
}

/**
 * Puts changed videos into the list, where `found` is what the server answers of `ids` under the same filter: what it
 * leaves out is gone. A video keeps its place, so that nothing jumps under the pointer. Returns null if a new video
 * belongs somewhere in the list that only the server knows.
 */
export function withChanged(
  list: CardList,
  ids: readonly number[],
  found: readonly Card[],
  order: CardFilter["order"],
): CardList | null {
  const answers = new Map(found.map((card) => [card.id, card]));
  const asked = new Set(ids);
  const before = new Set(list.cards.map(({ id }) => id));
  const kept = list.cards
    .filter(({ id }) => !asked.has(id) || answers.has(id))
    .map((card) => answers.get(card.id) ?? card);
  const lost = list.cards.length - kept.length;
  const newest = Math.max(0, ...before);
  const fresh = found.filter(({ id }) => !before.has(id));
  if (fresh.length && (order !== "added" || fresh.some(({ id }) => id < newest))) return null;
  fresh.sort((a, b) => b.id - a.id);
  return { ...list, cards: [...fresh, ...kept], total: list.total - lost + fresh.length };
}

/** Returns the list as it is shown, with the videos of `longer` behind it. It may have changed since they were asked for. */
export function joined(shown: CardList, longer: CardList): CardList {
  const there = new Set(shown.cards.map(({ id }) => id));
  const last = shown.cards.at(-1);
  const from = longer.cards.findIndex(({ id }) => id === last?.id) + 1;
  const added = longer.cards.slice(from).filter(({ id }) => !there.has(id));
  return { ...shown, next: longer.next, cards: [...shown.cards, ...added] };
}
