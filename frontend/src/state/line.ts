/**
 * The line of a round: the round, its base, the base of that, and so on. A frame shows the mask of the first round
 * that has one.
 */
import type { RoundInfo } from "../protocol";

export type Rounds = ReadonlyMap<number, RoundInfo>;

/** Returns the ids from `tip` back to the first round, or an empty list if `tip` is null. */
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

/** Returns the rounds whose base is `id`, newest first. Redo can move the head to them. */
export function branches(rounds: Rounds, id: number | null): RoundInfo[] {
  return [...rounds.values()].filter((round) => round.base === id).sort((a, b) => b.number - a.number);
}

export function isActive(round: RoundInfo | undefined): boolean {
  return round?.state === "queued" || round?.state === "running";
}

/** Returns the rounds that run or wait, oldest first: in this order they are computed. */
export function activeRounds(rounds: Rounds): RoundInfo[] {
  return [...rounds.values()].filter(isActive).sort((a, b) => a.number - b.number);
}

/** Returns the round that runs, else the one that runs next, null if none waits. */
export function activeRound(rounds: Rounds): RoundInfo | null {
  const active = activeRounds(rounds);
  return active.find(({ state }) => state === "running") ?? active[0] ?? null;
}

/** Returns the frames that have scribbles on this line. */
export function drawnFrames(rounds: Rounds, line: readonly number[]): Set<number> {
  const frames = new Set<number>();
  for (const id of line) {
    const round = rounds.get(id);
    if (round?.origin === "round") for (const frame of round.drawn) frames.add(frame);
  }
  return frames;
}

/** Whether a round that has ended is off `line`. An active round never is: the head moves to it a message later. */
export function isUndone(round: RoundInfo, line: readonly number[]): boolean {
  return !isActive(round) && !line.includes(round.id);
}
