/**
 * The next frame to fix, with the reason: the frame of lowest confidence that is not accepted and not near a drawn
 * frame.
 */
import type { ObjectInfo } from "../protocol";
import type { FrameSummary } from "./frameSummary";

export interface Suggestion {
  frame: number;
  reason: string;
}

// From this confidence on a frame needs no fix. A hint that is always shown would be ignored.
export const SURE = 0.8;
// Frames within this distance of a drawn frame are not suggested.
const REACH = 3;

export function needsFix(summary: FrameSummary | undefined): boolean {
  return summary?.confidence !== null && summary?.confidence !== undefined && summary.confidence < SURE;
}

/** Never suggests the frame `at`, which is in view. Of frames with equal confidence it suggests the nearest. */
export function suggest(
  summaries: readonly FrameSummary[],
  objects: readonly ObjectInfo[],
  drawn: ReadonlySet<number>,
  accepted: ReadonlyMap<number, number>,
  at: number,
): Suggestion | null {
  const drawnFrames = [...drawn];
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let frame = 0; frame < summaries.length; frame++) {
    const summary = summaries[frame] as FrameSummary;
    if (frame === at || !needsFix(summary) || accepted.has(frame)) continue;
    if (drawnFrames.some((other) => Math.abs(other - frame) <= REACH)) continue;
    const score = (summary.confidence ?? 1) + Math.abs(frame - at) * 1e-6;
    if (score < least) {
      least = score;
      best = frame;
    }
  }
  const summary = summaries[best];
  if (!summary) return null;
  return { frame: best, reason: reasonOf(summary, objects) };
}

function reasonOf(summary: FrameSummary, objects: readonly ObjectInfo[]): string {
  const name =
    objects.find((object) => object.number === summary.weakest)?.name ?? `object ${summary.weakest}`;
  return `${Math.round((summary.confidence ?? 0) * 100)} % sure of “${name}”`;
}
