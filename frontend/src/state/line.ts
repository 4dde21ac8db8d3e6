/** The line of a round: the round, the one it started from, and so on. The mask of a frame is that of the first that has it. */
import type { RoundInfo } from "../protocol";

export type Rounds = ReadonlyMap<number, RoundInfo>;

/** Ids from `tip` back to the first round; empty for no round. */
export function lineOf(rounds: Rounds, tip: number | null): number[] {
  const line: number[] = [];
  for (let id = tip; id !== null; ) {
    const round = rounds.get(id);
    if (!round || line.includes(id)) break;
    line.push(id);
    id = round.base;
  }
  return line;
}

/** Rounds whose base is `id`, newest first: where redo can go. */
export function branches(rounds: Rounds, id: number | null): RoundInfo[] {
  return [...rounds.values()].filter((round) => round.base === id).sort((a, b) => b.number - a.number);
}

export function isActive(round: RoundInfo | undefined): boolean {
  return round?.state === "queued" || round?.state === "running";
}

/** The round that a worker computes or will compute next, if there is one. */
export function activeRound(rounds: Rounds): RoundInfo | null {
  let found: RoundInfo | null = null;
  for (const round of rounds.values())
    if (isActive(round) && (!found || round.number > found.number)) found = round;
  return found;
}

/** Frames on which somebody drew, on this line. */
export function interactedFrames(rounds: Rounds, line: readonly number[]): Set<number> {
  const frames = new Set<number>();
  for (const id of line) {
    const round = rounds.get(id);
    if (round) frames.add(round.frame);
  }
  return frames;
}

/** Off the line that is shown. A round that has just begun is not: the head follows it a message later. */
export function isUndone(round: RoundInfo, line: readonly number[]): boolean {
  return !isActive(round) && !line.includes(round.id);
}
