/** The order of rounds in the history, and which of them are folded away. */
import type { RoundInfo } from "../../protocol";
import { branches, isActive, lineOf, type Rounds } from "../../state/line";

/** A row of the history: a round, or the undone rounds that are folded at this place. */
export type Entry = { round: RoundInfo } | { folded: readonly RoundInfo[] };

/**
 * Returns the history, newest round first. Rounds on the line of the head, those that redo leads to, active rounds and
 * `shown` have rows of their own; runs of other rounds, which were undone, are folded into one row each.
 */
export function historyOf(rounds: Rounds, head: number | null, shown: number | null): Entry[] {
  const line = new Set([...lineOf(rounds, head), ...redoLine(rounds, head)]);
  const entries: ({ round: RoundInfo } | { folded: RoundInfo[] })[] = [];
  for (const round of [...rounds.values()].sort((a, b) => b.number - a.number)) {
    const last = entries.at(-1);
    if (line.has(round.id) || isActive(round) || round.id === shown || round.state === "failed")
      entries.push({ round });
    else if (last && "folded" in last) last.folded.push(round);
    else entries.push({ folded: [round] });
  }
  return entries;
}

/** Returns the rounds that redo would go through from `head`: always the newest round with masks. */
function redoLine(rounds: Rounds, head: number | null): number[] {
  const found: number[] = [];
  let at = head;
  for (;;) {
    const next = branches(rounds, at).find((round) => round.frames.length > 0);
    if (!next || found.includes(next.id)) return found;
    found.push(next.id);
    at = next.id;
  }
}
