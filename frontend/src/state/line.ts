/**
 * The line of a round: the round, its base, the base of that, and so on. A frame shows the mask of the first round
 * that has one. The page has the newest rounds of a video, and those that somebody looked at. What the other rounds of
 * a line amount to is in a LineInfo.
 */
import type { LineInfo, RoundInfo } from "../protocol";
import { covers, type Range } from "./ranges";

/** The rounds that are loaded. */
export type Rounds = ReadonlyMap<number, RoundInfo>;
/** What is known of lines whose rounds are not all loaded, by the id of the round whose line it is. */
export type Lines = ReadonlyMap<number | null, LineInfo>;

export interface Line {
  /** The loaded rounds of the line, newest first. */
  readonly ids: readonly number[];
  /** The line of one of its rounds in short, with all rounds that are not loaded. Null if all are loaded. */
  readonly older: LineInfo | null;
  /** The round whose LineInfo has to be loaded before the line is known. Null if it is known. */
  readonly missing: number | null;
}

const NO_LINES: Lines = new Map();

/** Returns the line from `tip` back to the first round. It is empty if `tip` is null. */
export function lineOf(rounds: Rounds, tip: number | null, lines: Lines = NO_LINES): Line {
  const ids = new Set<number>();
  let older: LineInfo | null = null;
  let id = tip;
  while (id !== null) {
    older = lines.get(id) ?? older;
    const round = rounds.get(id);
    if (!round || ids.has(id)) break;
    ids.add(id);
    id = round.base;
  }
  const missing = older === null && id !== null && !rounds.has(id) ? id : null;
  if (older === null) return { ids: [...ids], older, missing };
  const { rounds: ranges } = older;
  for (const loaded of rounds.keys()) if (covers(ranges, loaded)) ids.add(loaded);
  return { ids: [...ids].sort((a, b) => b - a), older, missing };
}

/** Returns a test of whether a round is on the line. */
export function membersOf({ ids, older }: Line): (round: number) => boolean {
  const loaded = new Set(ids);
  return (round) => loaded.has(round) || (older !== null && covers(older.rounds, round));
}

/** Returns the base of a round: null if it has none, undefined if the round is not loaded. */
export function baseOf(rounds: Rounds, id: number | null): number | null | undefined {
  return id === null ? undefined : rounds.get(id)?.base;
}

/** Returns the round to which redo leads from `id`: the newest one with masks whose base it is; undefined if none. */
export function redoTarget(rounds: Rounds, id: number | null, lines: Lines): number | undefined {
  let newest = lines.get(id)?.ahead[0]?.[0];
  for (const round of rounds.values())
    if (round.base === id && round.frames.length > 0 && round.id > (newest ?? 0)) newest = round.id;
  return newest;
}

/**
 * Whether the line of `head` has to be loaded before it is known where redo leads from there: a newer round that is not
 * loaded may be based on it. Of the rounds from id `before` on all are loaded; it is 0 if older ones are, too.
 */
export function missesAhead(before: number, head: number | null, lines: Lines): boolean {
  return (head ?? 0) < before && !lines.has(head);
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
export function drawnFrames(rounds: Rounds, line: Line): Set<number> {
  const frames = new Set(framesIn(line.older?.drawn ?? []));
  for (const id of line.ids) {
    const round = rounds.get(id);
    if (round?.origin === "round") for (const frame of round.drawn) frames.add(frame);
  }
  return frames;
}

/** Returns the frames of spans. */
export function* framesIn(spans: readonly Range[]): Generator<number> {
  for (const [first, last] of spans) for (let frame = first; frame <= last; frame++) yield frame;
}

/** Whether a round that has ended is off `line`. An active round never is: the head moves to it a message later. */
export function isUndone(round: RoundInfo, line: Line): boolean {
  return !isActive(round) && !line.ids.includes(round.id);
}
