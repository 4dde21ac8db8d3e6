/**
 * What the timeline draws, as plain values. It is built again if one of them changes, but not if the playhead moves.
 */
import type { RoundInfo } from "../../protocol";
import { rejectedIn } from "../../state/acceptedObjects";
import { type FrameSummary, hasFrame } from "../../state/frameSummary";
import { outsideOf } from "../../state/jobs";
import { framesIn } from "../../state/line";
import { lostRanges } from "../../state/lost";
import type { Store } from "../../state/store";
import { needsFix } from "../../state/suggest";
import type { PinMark } from "./pinMarks";

/** A range of frames; both ends are included. */
export type Range = readonly [first: number, last: number];

export interface Lane {
  number: number;
  color: string;
  /** The object is hidden on the stage, and drawn faintly here. */
  hidden: boolean;
  selected: boolean;
  name: string;
  /** Where the object has a mask. */
  ranges: Range[];
  /** Where the running round, else the shown one, has changed it. Empty if there is only one round. */
  changed: Range[];
  /** Where the object is expected but has no mask. */
  lost: readonly Range[];
  /** Where a person said that the object is not in the picture. */
  absent: readonly Range[];
  /** Where a person accepted the object singly. */
  accepted: readonly Range[];
  /** Where an open pin says that the object is wrong. */
  rejected: readonly Range[];
  /** Frames on which it was drawn, in rounds of the line. */
  drawn: number[];
  /** Frames with scribbles that wait for a round. */
  waiting: number[];
  /** Frames whose mask of the object was painted by hand. */
  painted: number[];
}

export interface TimelineModel {
  frames: number;
  /** The confidence of each frame, 0..1, or one of the constants below. */
  sure: Float32Array;
  /** 1 for frames to fix. */
  fix: Uint8Array;
  /** J&F of each frame, or NO_MASK for frames without ground truth. Null: the bars show confidence. */
  scores: Float32Array | null;
  lanes: Lane[];
  /** The first frame of each scene but the first. */
  cuts: readonly number[];
  selection: Range | null;
  pins: readonly PinMark[];
  /** The frames outside of the job in hand. */
  outside: readonly Range[];
  /** The frames to which the next round is limited. */
  scope: Range | null;
  /** The frames that the running round, else the shown one, has masks for. */
  reached: Range[];
  running: boolean;
  accepted: Range[];
  truth: Range[];
}

export const NO_MASK = -1;
export const NOT_LOADED = -2;
/** The value of a frame whose mask has no object. */
export const NOTHING_THERE = -3;

export function rangesWhere(frames: number, has: (frame: number) => boolean): Range[] {
  const ranges: Range[] = [];
  let first = -1;
  for (let frame = 0; frame <= frames; frame += 1) {
    const inside = frame < frames && has(frame);
    if (inside && first < 0) first = frame;
    if (!inside && first >= 0) {
      ranges.push([first, frame - 1]);
      first = -1;
    }
  }
  return ranges;
}

export function rangesOf(frames: Iterable<number>): Range[] {
  const sorted = [...new Set(frames)].sort((a, b) => a - b);
  const ranges: [number, number][] = [];
  for (const frame of sorted) {
    const last = ranges.at(-1);
    if (last && last[1] === frame - 1) last[1] = frame;
    else ranges.push([frame, frame]);
  }
  return ranges;
}

export function sureness(summary: FrameSummary | undefined): number {
  if (!summary || summary.round === null) return NO_MASK;
  if (!summary.loaded) return NOT_LOADED;
  return summary.confidence ?? NOTHING_THERE;
}

/** Returns the ranges of frames in which each object has a mask, by object id. */
function placesOf(summaries: readonly FrameSummary[], which: (summary: FrameSummary) => boolean) {
  const places = new Map<number, [number, number][]>();
  summaries.forEach((summary, frame) => {
    if (!which(summary)) return;
    for (const id of summary.ids) {
      const ranges = places.get(id);
      const last = ranges?.at(-1);
      if (last && last[1] === frame - 1) last[1] = frame;
      else if (ranges) ranges.push([frame, frame]);
      else places.set(id, [[frame, frame]]);
    }
  });
  return places;
}

function lanesOf(store: Store, summaries: readonly FrameSummary[], current: number | null): Lane[] {
  const { hidden, solo } = store.view.value;
  const places = placesOf(summaries, () => true);
  const several = typeof store.shownBase.value === "number";
  const changed = placesOf(summaries, ({ round }) => several && round === current);
  const drawn = new Map<number, Set<number>>();
  const add = (object: number, frame: number) =>
    drawn.set(object, (drawn.get(object) ?? new Set()).add(frame));
  const { ids, older } = store.line.value;
  for (const [object, spans] of Object.entries(older?.scribbled ?? {}))
    for (const frame of framesIn(spans)) add(Number(object), frame);
  for (const id of ids)
    for (const { object_id, frame } of store.rounds.value.get(id)?.scribbles ?? []) add(object_id, frame);
  const waiting = (number: number) =>
    store.scribbles.value.filter(({ object }) => object === number).map(({ frame }) => frame);
  return store.alive.value.map(({ number, name, color }) => ({
    number,
    name,
    color,
    hidden: hidden.includes(number) || (solo !== null && solo !== number),
    selected: store.selected.value === number,
    ranges: places.get(number) ?? [],
    changed: changed.get(number) ?? [],
    lost: lostRanges(summaries, number, store.decided.value.get(number) ?? []),
    absent: store.absent.value.get(number) ?? [],
    accepted: store.acceptedObjects.value.get(number) ?? [],
    rejected: rejectedIn(store.pins.value, number),
    drawn: [...(drawn.get(number) ?? [])],
    waiting: [...new Set(waiting(number))],
    painted: paintedFrames(store, number),
  }));
}

function paintedFrames(store: Store, number: number): number[] {
  const { ids, older } = store.line.value;
  const frames = new Set(framesIn(older?.painted[number] ?? []));
  for (const id of ids) {
    const round = store.rounds.value.get(id);
    if (round?.origin === "painted" && round.objects?.includes(number))
      for (const frame of round.drawn) frames.add(frame);
  }
  return [...frames];
}

/** Returns the frames between the in and the out point of the next round, null if neither is set. */
function markedOf(store: Store): Range | null {
  const { first, last } = store.scope.value;
  if (first === null && last === null) return null;
  return [first ?? 0, last ?? (store.video.value?.frame_count ?? 1) - 1];
}

function reachedBy(store: Store, round: RoundInfo | null, frames: number): Range[] {
  return round ? rangesWhere(frames, (frame) => hasFrame(round, frame, store.masks)) : [];
}

/** Returns J&F of the frames of the shown round, null if the timeline shows confidence. */
function scoresOf(store: Store, frames: number): Float32Array | null {
  const shown = store.shownRound.value;
  const found = shown === null ? undefined : store.scores.value.get(shown);
  if (!store.view.value.showScores || !found) return null;
  const scores = new Float32Array(frames).fill(NO_MASK);
  for (const [frame, value] of Object.entries(found.frames)) scores[Number(frame)] = value;
  return scores;
}

/** Builds the model. Reads signals of the store, so an effect that calls it follows them. */
export function modelOf(store: Store): TimelineModel {
  const summaries = store.summaries.value;
  const frames = store.video.value?.frame_count ?? 0;
  const accepted = store.accepted.value;
  const active = store.active.value;
  const shown = store.shownRound.value;
  const sure = new Float32Array(frames);
  const fix = new Uint8Array(frames);
  for (let frame = 0; frame < frames; frame += 1) {
    const summary = summaries[frame];
    sure[frame] = sureness(summary);
    fix[frame] = needsFix(summary) && !accepted.has(frame) ? 1 : 0;
  }
  store.masks.version.value; // subscribes to new masks, from which progress is derived
  const round = active ?? (shown === null ? null : (store.rounds.value.get(shown) ?? null));
  return {
    frames,
    sure,
    fix,
    scores: scoresOf(store, frames),
    lanes: lanesOf(store, summaries, round?.id ?? null),
    cuts: store.cuts.value,
    selection: store.selection.value,
    pins: store.pins.value.map(({ frame, resolved_at }) => ({ frame, open: resolved_at === null })),
    outside: outsideOf(store.job.value, frames),
    scope: markedOf(store),
    reached: reachedBy(store, round, frames),
    running: active !== null,
    accepted: rangesOf(accepted.keys()),
    truth: rangesOf(store.video.value?.truth_frames ?? []),
  };
}
