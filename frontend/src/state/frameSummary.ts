/** What is known of each frame on a line of rounds, without decoding a mask: for the timeline and for the next frame to fix. */

import type { PackedMask } from "../masks/decode";
import { maskIds } from "../masks/decode";
import type { MaskStore } from "../masks/store";
import type { RoundInfo, VideoInfo } from "../protocol";
import { isActive, type Rounds } from "./line";

export interface Fact {
  round: number | null; // whose mask the frame has on this line
  loaded: boolean; // false: the round has it, the page does not yet, and what follows is empty
  confidence: number | null; // 0..1, of the weakest object that is in the frame
  weakest: number | null; // that object's number
  ids: readonly number[]; // objects in the frame
}

export const NO_MASK: Fact = { round: null, loaded: false, confidence: null, weakest: null, ids: [] };

/** A round that has ended has the frames that it says; one that runs also those whose mask has come since. */
export function hasFrame(round: RoundInfo, frame: number, masks: MaskStore): boolean {
  if (round.frames.some(([first, last]) => frame >= first && frame <= last)) return true;
  return isActive(round) && masks.has(round.id, frame);
}

/** The round whose mask `frame` has: an accepted one stays whatever rounds do, else the newest of the line that has it. */
export function sourceOf(
  frame: number,
  rounds: Rounds,
  line: readonly number[],
  accepted: ReadonlyMap<number, number>,
  masks: MaskStore,
): number | null {
  const kept = accepted.get(frame);
  if (kept !== undefined) return kept;
  for (const id of line) {
    const round = rounds.get(id);
    if (round && hasFrame(round, frame, masks)) return id;
  }
  return null;
}

/** The same for all frames at once, by ranges: a long video has 20,000 of them, and masks come 20 times a second. */
export function factsOf(
  video: VideoInfo | null,
  rounds: Rounds,
  line: readonly number[],
  accepted: ReadonlyMap<number, number>,
  masks: MaskStore,
): readonly Fact[] {
  const sources = new Int32Array(video?.frame_count ?? 0); // ids of rounds begin at 1
  for (const id of line.toReversed()) {
    const round = rounds.get(id);
    if (!round) continue;
    for (const [first, last] of round.frames) sources.fill(id, first, last + 1);
    if (isActive(round)) for (const frame of masks.framesOf(id)) sources[frame] = id;
  }
  for (const [frame, id] of accepted) sources[frame] = id;
  return Array.from(sources, (id, frame) => factOf(id === 0 ? null : id, frame, masks));
}

const read = new WeakMap<PackedMask, Fact>(); // what a mask says never changes

function factOf(round: number | null, frame: number, masks: MaskStore): Fact {
  if (round === null) return NO_MASK;
  const mask = masks.get(round, frame);
  if (!mask) return { ...NO_MASK, round };
  let fact = read.get(mask);
  if (!fact) {
    fact = readFact(mask);
    read.set(mask, fact);
  }
  return fact;
}

function readFact(mask: PackedMask): Fact {
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
  return { round: mask.round, loaded: true, confidence: weakest === null ? null : least / 255, weakest, ids };
}
