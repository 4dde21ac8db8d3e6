/** What is known of each frame on a line of rounds, without decoding a mask: for the timeline and for the next frame to fix. */

import type { PackedMask } from "../masks/decode";
import { maskIds } from "../masks/decode";
import type { MaskStore } from "../masks/store";
import type { RoundInfo, VideoInfo } from "../protocol";
import type { Rounds } from "./line";

export interface Fact {
  round: number | null; // whose mask the frame has on this line
  loaded: boolean; // false: the round has it, the page does not yet, and what follows is empty
  confidence: number | null; // 0..1, of the weakest object that is in the frame
  weakest: number | null; // that object's number
  ids: readonly number[]; // objects in the frame
}

export const NO_MASK: Fact = { round: null, loaded: false, confidence: null, weakest: null, ids: [] };

export function hasFrame(round: RoundInfo, frame: number, masks: MaskStore): boolean {
  return masks.has(round.id, frame) || round.frames.some(([first, last]) => frame >= first && frame <= last);
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

export function factsOf(
  video: VideoInfo | null,
  rounds: Rounds,
  line: readonly number[],
  accepted: ReadonlyMap<number, number>,
  masks: MaskStore,
): readonly Fact[] {
  if (!video) return [];
  const facts = new Array<Fact>(video.frame_count);
  for (let frame = 0; frame < facts.length; frame++)
    facts[frame] = factOf(sourceOf(frame, rounds, line, accepted, masks), frame, masks);
  return facts;
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
