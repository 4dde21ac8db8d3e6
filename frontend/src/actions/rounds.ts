/**
 * Running rounds. All frames with waiting scribbles, and those that were painted since the last round, are drawn frames of
 * one round. It supersedes a running round of the same person, and waits for the rounds of other people.
 */
import { newKey } from "../connection/key";
import { toast, toastError } from "../parts/Toast";
import { MOST_DRAWN, type RoundInfo } from "../protocol";
import { activeRounds, framesIn } from "../state/line";
import { covers, type Range } from "../state/ranges";
import type { Waiting } from "../state/store";
import type { Studio } from "../studio/studio";
import { markedSpan } from "./scope";
import { drawAgain } from "./scribbles";

/**
 * Returns the frames that a round would start from: the frame in view first, then in ascending order.
 * An effect that calls it runs again on a change.
 */
export function framesToRun(studio: Studio): number[] {
  const drawn = studio.store.mine.value.map((scribble) => scribble.frame);
  const frames = [...new Set([...drawn, ...paintedToRun(studio)])].sort((a, b) => a - b);
  const at = studio.store.frame.value;
  return frames.includes(at) ? [at, ...frames.filter((frame) => frame !== at)] : frames;
}

/**
 * Returns the frames whose masks this person has made by hand since the last round of an engine: a round takes these
 * masks through the video. Frames that show no object, accepted ones, and those outside of the in and out points are left
 * out.
 */
function paintedToRun(studio: Studio): number[] {
  const { store } = studio;
  const you = store.you.value?.id ?? 0;
  const frames = new Set<number>();
  const { ids, older } = store.headLine.value;
  const newer = ids.map((id) => store.rounds.value.get(id)).filter((version) => version !== undefined);
  const sinceRound = takeUntil(newer, ({ origin, id }) => origin === "round" || id <= (older?.round ?? 0));
  for (const { origin, author, drawn } of sinceRound)
    if (origin === "painted" && author.id === you) for (const frame of drawn) frames.add(frame);
  // Some rounds below the known line are loaded too: those do not hide what was painted after them.
  const end = newer[sinceRound.length];
  if (!end || end.id <= (older?.round ?? 0))
    for (const frame of framesIn(older?.painted_since[you] ?? [])) frames.add(frame);
  const shows = (frame: number) => (store.summaries.value[frame]?.ids.length ?? 0) > 0;
  const limit = markedSpan(studio);
  return [...frames]
    .filter((frame) => shows(frame) && !store.accepted.value.has(frame) && (!limit || covers([limit], frame)))
    .slice(0, MOST_DRAWN - store.mine.value.length);
}

function takeUntil<Value>(values: readonly Value[], ends: (value: Value) => boolean): Value[] {
  const end = values.findIndex(ends);
  return end < 0 ? [...values] : values.slice(0, end);
}

/** Runs one round for all frames that were drawn on or painted, or for the frame `only`. A toast explains what is not visible. */
export function run(studio: Studio, only?: number): void {
  const { store } = studio;
  const frames = only === undefined ? framesToRun(studio) : [only];
  if (frames.length === 0) {
    toast({ text: "Draw a scribble first: on an object, or on the background." });
    return;
  }
  const drawn = new Set(store.mine.peek().map((scribble) => scribble.frame));
  const fromMasks = frames.some((frame) => !drawn.has(frame));
  enqueue(studio, [{ frames, supersedes: true, ...(fromMasks && { fromMasks }) }]);
}

/** Adds rounds to those that are sent to the server, and says for whose rounds they wait there. */
function enqueue({ store }: Studio, items: readonly Waiting[]): void {
  const other = activeRounds(store.rounds.peek()).find(({ author }) => author.id !== store.you.peek()?.id);
  if (other)
    toast({
      text: `Round ${other.number} of ${other.author.name} comes first. Yours runs after it, even if you leave.`,
    });
  const wanted = items.flatMap(({ frames }) => frames);
  const rest = store.queue.peek().filter(({ frames }) => !frames.every((frame) => wanted.includes(frame)));
  store.queue.value = [...items, ...rest];
}

/** Cancels this person's rounds, else the running one, and clears the queue. Masks that were computed stay. */
export function cancel({ store, outbox }: Studio): void {
  store.queue.value = [];
  const active = activeRounds(store.rounds.peek());
  const own = active.filter(({ author }) => author.id === store.you.peek()?.id);
  // The newest first: a round that waits must not begin when the one before it stops.
  for (const round of (own.length > 0 ? own : active.slice(0, 1)).reverse())
    if (!round.cancel_requested)
      outbox.send({ type: "round.cancel", key: newKey(), round: round.id }).catch(toastError);
}

/** A part of the video that a round did not reach, and the frame from which another round can compute it. */
interface Unreached {
  span: Range;
  /** A frame next to the part, whose mask is there; null if the part holds frames that were drawn on. */
  from: number | null;
  drawn: readonly number[];
}

/** Returns the parts of its span that a round, which has ended, did not reach. Accepted frames are left out. */
export function unreachedBy(
  round: RoundInfo,
  frames: number,
  accepted: ReadonlyMap<number, number>,
): Unreached[] {
  const [first, last] = reachOf(round, frames);
  const made = new Set<number>();
  for (const [from, to] of round.frames) for (let frame = from; frame <= to; frame++) made.add(frame);
  const parts: Unreached[] = [];
  for (let frame = first; frame <= last; frame++) {
    if (made.has(frame) || accepted.has(frame)) continue;
    let end = frame;
    while (end < last && !made.has(end + 1)) end++;
    const drawn = round.drawn.filter((other) => other >= frame && other <= end);
    const beside = made.has(frame - 1) ? frame - 1 : made.has(end + 1) ? end + 1 : null;
    if (drawn.length > 0) parts.push({ span: [frame, end], from: null, drawn });
    else if (beside !== null)
      parts.push({ span: [Math.min(beside, frame), Math.max(beside, end)], from: beside, drawn });
    frame = end;
  }
  return parts;
}

function reachOf(round: RoundInfo, frames: number): Range {
  const [first, last] = round.span ?? [0, frames - 1];
  const drawn = round.drawn.length > 0 ? round.drawn : [round.frame];
  return [
    round.direction === "forward" ? Math.min(...drawn) : first,
    round.direction === "backward" ? Math.max(...drawn) : last,
  ];
}

/** Whether a round was stopped before it had reached all of its frames, and can go on. */
export function canGoOn({ store }: Studio, round: RoundInfo): boolean {
  const ended = round.state === "cancelled" || round.state === "superseded" || round.state === "failed";
  if (!ended || round.origin !== "round" || round.frames.length === 0) return false;
  if (!store.canDraw.value || store.head.value !== round.id) return false;
  return unreachedBy(round, store.video.value?.frame_count ?? 0, store.accepted.value).length > 0;
}

/**
 * Enqueues a round for each part of the video that a stopped round did not reach. It starts from a mask beside the part, or
 * from the part's drawn frames, whose scribbles are drawn again.
 */
export function goOn(studio: Studio, round: RoundInfo): void {
  const { store } = studio;
  const parts = unreachedBy(round, store.video.peek()?.frame_count ?? 0, store.accepted.peek());
  const items = parts.map(({ span, from, drawn }): Waiting => {
    for (const scribble of round.scribbles) if (drawn.includes(scribble.frame)) drawAgain(studio, scribble);
    const direction = from === null ? "both" : from === span[0] ? "forward" : "backward";
    const limits = {
      span: [...span] as [number, number],
      direction,
      objects: round.objects,
      across_cuts: true,
    } as const;
    return { frames: from === null ? drawn : [from], limits, supersedes: false, fromMasks: from !== null };
  });
  enqueue(studio, items);
}

/** Runs the interaction of a failed round again. Scribbles that no longer wait are drawn again first. */
export function retry(studio: Studio, round: RoundInfo): void {
  const waits = studio.store.mine.peek().some((scribble) => scribble.frame === round.frame);
  if (!waits) for (const scribble of round.scribbles) drawAgain(studio, scribble);
  run(studio, round.frame);
}
