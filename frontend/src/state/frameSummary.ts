/**
 * What is known of each frame on a line of rounds without decoding masks, for the timeline and the next frame to fix.
 */

import type { PackedMask } from "../masks/decode";
import { decodeMask, maskIds } from "../masks/decode";
import type { MaskStore } from "../masks/store";
import type { RoundInfo, VideoInfo } from "../protocol";
import { isActive, type Line, type Rounds } from "./line";

export interface FrameSummary {
  round: number | null; // the round whose mask the frame has on this line
  loaded: boolean; // false: the mask exists but is not loaded, and the fields below are empty
  confidence: number | null; // 0..1, of the object with the lowest confidence in the frame
  weakest: number | null; // the id of that object
  ids: readonly number[]; // objects in the frame
  areas: ReadonlyMap<number, number> | null; // pixels of each object; null until they are counted
}

export const NO_MASK: FrameSummary = {
  round: null,
  loaded: false,
  confidence: null,
  weakest: null,
  ids: [],
  areas: null,
};

/**
 * Whether a round has a mask of `frame`. A running round also has the frames whose masks arrived since its last
 * message.
 */
export function hasFrame(round: RoundInfo, frame: number, masks: MaskStore): boolean {
  if (round.frames.some(([first, last]) => frame >= first && frame <= last)) return true;
  return isActive(round) && masks.has(round.id, frame);
}

/**
 * Returns the round whose mask `frame` shows: the accepted round, else the newest round of the line that has a mask
 * of it. Undefined if that is a round which is not known yet.
 */
export function sourceOf(
  frame: number,
  rounds: Rounds,
  line: Line,
  accepted: ReadonlyMap<number, number>,
  masks: MaskStore,
): number | null | undefined {
  const kept = accepted.get(frame);
  if (kept !== undefined) return kept;
  const older = line.older?.masks.find(([first, last]) => frame >= first && frame <= last)?.[2] ?? null;
  for (const id of line.ids) {
    const round = rounds.get(id);
    if (older !== null && id <= older) break;
    if (round && hasFrame(round, frame, masks)) return id;
  }
  return line.missing === null ? older : undefined;
}

/**
 * Returns the summaries of all frames. It works on ranges, because a video may have 20,000 frames and masks arrive 20
 * times a second.
 */
export function summariesOf(
  video: VideoInfo | null,
  rounds: Rounds,
  line: Line,
  accepted: ReadonlyMap<number, number>,
  masks: MaskStore,
): readonly FrameSummary[] {
  const sources = new Int32Array(video?.frame_count ?? 0); // 0: no round; ids of rounds start at 1
  for (const [first, last, id] of line.older?.masks ?? []) sources.fill(id, first, last + 1);
  const newestOlder = line.older?.round ?? 0;
  for (const id of line.ids.toReversed()) {
    const round = rounds.get(id);
    if (!round) continue;
    for (const [first, last] of round.frames) {
      if (id > newestOlder) sources.fill(id, first, last + 1);
      else for (let frame = first; frame <= last; frame++) raise(sources, frame, id);
    }
    if (isActive(round)) for (const frame of masks.framesOf(id)) raise(sources, frame, id);
  }
  for (const [frame, id] of accepted) sources[frame] = id;
  return Array.from(sources, (id, frame) => summaryOf(id === 0 ? null : id, frame, masks));
}

/** Makes `id` the source of a frame unless a newer round is. A round may store masks after its line was described. */
function raise(sources: Int32Array, frame: number, id: number): void {
  if ((sources[frame] as number) < id) sources[frame] = id;
}

const read = new WeakMap<PackedMask, FrameSummary>(); // A mask never changes, so its summary is computed once.

function summaryOf(round: number | null, frame: number, masks: MaskStore): FrameSummary {
  if (round === null) return NO_MASK;
  const mask = masks.get(round, frame);
  if (!mask) return { ...NO_MASK, round };
  let summary = read.get(mask);
  if (!summary) {
    summary = readSummary(mask);
    read.set(mask, summary);
  }
  return summary;
}

function readSummary(mask: PackedMask): FrameSummary {
  const ids = maskIds(mask);
  let weakest: number | null = null;
  let least = 256;
  for (const id of ids) {
    const confidence = mask.confidence[id - 1];
    if (confidence !== undefined && confidence < least) {
      least = confidence;
      weakest = id;
    }
  }
  const confidence = weakest === null ? null : least / 255;
  return { round: mask.round, loaded: true, confidence, weakest, ids, areas: null };
}

/** Counts the pixels of the objects in a mask, which takes as long as decoding it. Its summaries have them from then on. */
export function countAreas(mask: PackedMask): void {
  const { starts, values } = decodeMask(mask.data);
  const areas = new Map<number, number>();
  for (let run = 0; run < values.length; run++) {
    const [value, from, to] = [values[run] as number, starts[run] as number, starts[run + 1] as number];
    if (value > 0) areas.set(value, (areas.get(value) ?? 0) + to - from);
  }
  read.set(mask, { ...(read.get(mask) ?? readSummary(mask)), areas });
}
