/** The order of rounds in the history, and which of them are folded away. */
import type { RoundInfo } from "../../protocol";
import { isActive, type Lines, lineOf, membersOf, type Rounds, redoTarget } from "../../state/line";
import { covers } from "../../state/ranges";

/** A row of the history: a round, or the undone rounds that are folded at this place. */
export type Entry = { round: RoundInfo } | { folded: readonly RoundInfo[] };

/** What the history is made of, as the store has it. */
export interface Rows {
  readonly rounds: Rounds;
  readonly lines: Lines;
  readonly head: number | null;
  readonly shown: number | null;
  /** Rounds with lower ids are in the history only if they are the head, shown or active. */
  readonly before: number;
}

/**
 * Returns the history, newest round first. Rounds on the line of the head, those that redo leads to, active rounds and
 * `shown` have rows of their own; runs of other rounds, which were undone, are folded into one row each.
 */
export function historyOf({ rounds, lines, head, shown, before }: Rows): Entry[] {
  const onLine = membersOf(lineOf(rounds, head, lines));
  const ahead = aheadOf(rounds, head, lines);
  const marked = (round: RoundInfo): boolean => round.id === head || round.id === shown || isActive(round);
  const entries: ({ round: RoundInfo } | { folded: RoundInfo[] })[] = [];
  const listed = [...rounds.values()].filter((round) => round.id >= before || marked(round));
  for (const round of listed.sort((a, b) => b.number - a.number)) {
    const last = entries.at(-1);
    const own = onLine(round.id) || ahead(round.id) || marked(round);
    if (own || round.state === "failed") entries.push({ round });
    else if (last && "folded" in last) last.folded.push(round);
    else entries.push({ folded: [round] });
  }
  return entries;
}

/** Returns a test of whether redo would go through a round from `head` on. */
function aheadOf(rounds: Rounds, head: number | null, lines: Lines): (round: number) => boolean {
  const found = new Set<number>();
  let at = redoTarget(rounds, head, lines);
  const known = lines.get(head)?.ahead ?? [];
  const ahead = known[0]?.[0] === at ? known : []; // A newer round than the known ones may be based on the head.
  for (; at !== undefined && rounds.has(at) && !found.has(at); at = redoTarget(rounds, at, lines))
    found.add(at);
  return (round) => found.has(round) || covers(ahead, round);
}

/** Splits a history where older rounds are not loaded: what comes before that place, and what comes after it. */
export function splitAt(entries: readonly Entry[], before: number): [readonly Entry[], readonly Entry[]] {
  const place = entries.findIndex((entry) => "round" in entry && entry.round.id < before);
  return place < 0 ? [entries, []] : [entries.slice(0, place), entries.slice(place)];
}
