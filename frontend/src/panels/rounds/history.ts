/** The order of rounds in the history, and which of them are folded away. */
import type { RoundInfo } from "../../protocol";
import { isActive, type Lines, lineOf, membersOf, missesAhead, type Rounds } from "../../state/line";
import { covers, type Range } from "../../state/ranges";

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
export function historyOf(rows: Rows): Entry[] {
  const { rounds, lines, head, shown, before } = rows;
  const onLine = membersOf(lineOf(rounds, head, lines));
  const ahead = aheadOf(rows);
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
function aheadOf({ rounds, lines, head, before }: Rows): (round: number) => boolean {
  if (missesAhead(before, head, lines)) return () => false;
  const newest = newestOn(rounds);
  const found = new Set<number>();
  const spans: Range[] = [];
  let at = head;
  for (;;) {
    const known = lines.get(at)?.ahead ?? [];
    const turn = known.length > 0 ? turnFrom(at, known, newest) : { base: at, to: newest.get(at) };
    spans.push(...upTo(known, turn ? turn.base : Infinity));
    if (turn?.to === undefined || found.has(turn.to)) break;
    found.add(turn.to);
    at = turn.to;
  }
  return (round) => found.has(round) || covers(spans, round);
}

type Newest = ReadonlyMap<number | null, number>;

/** Returns for each base the newest loaded round with masks that is based on it. */
function newestOn(rounds: Rounds): Newest {
  const newest = new Map<number | null, number>();
  for (const { id, base, frames } of rounds.values())
    if (frames.length > 0 && id > (newest.get(base) ?? 0)) newest.set(base, id);
  return newest;
}

/**
 * Returns where redo leaves the `known` rounds above `at`: the first round on which a newer one is based than the known
 * one, and that newer one. Undefined if there is none.
 */
function turnFrom(at: number | null, known: readonly Range[], newest: Newest) {
  const turns = [...newest].flatMap(([base, to]) => {
    const isAhead = base === at || (base !== null && covers(known, base));
    return isAhead && !covers(known, to) && to > followingIn(known, base ?? 0) ? [{ base, to }] : [];
  });
  return turns.sort((a, b) => (a.base ?? 0) - (b.base ?? 0))[0];
}

/** Returns a known round above `round` that is, or comes after, the next one: 0 if `round` is the last. */
function followingIn(known: readonly Range[], round: number): number {
  for (const [first, last] of known) {
    if (round < first) return first;
    if (round < last) return last;
  }
  return 0;
}

/** Returns the ranges as far as they go up to `end`, inclusive. */
function upTo(ranges: readonly Range[], end: number | null): Range[] {
  const most = end ?? 0;
  return ranges.flatMap(([first, last]) => (first <= most ? [[first, Math.min(last, most)] as Range] : []));
}

/** Splits a history where older rounds are not loaded: what comes before that place, and what comes after it. */
export function splitAt(entries: readonly Entry[], before: number): [readonly Entry[], readonly Entry[]] {
  const place = entries.findIndex((entry) => "round" in entry && entry.round.id < before);
  return place < 0 ? [entries, []] : [entries.slice(0, place), entries.slice(place)];
}
