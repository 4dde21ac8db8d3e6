/** The next frame to fix, with the reason: where the engine is least sure, away from what a person has looked after. */
import type { ObjectInfo } from "../protocol";
import type { Fact } from "./frameSummary";

export interface Suggestion {
  frame: number;
  reason: string;
}

// Above this an engine is taken to be sure: a hint that is always there is a hint nobody reads.
export const SURE = 0.8;
// Frames nearer than this to one that was drawn on are covered by that scribble.
const REACH = 3;

export function needsFix(fact: Fact | undefined): boolean {
  return fact?.confidence !== null && fact?.confidence !== undefined && fact.confidence < SURE;
}

/** Never the frame that one is on; of equally unsure frames the nearest to it. */
export function suggest(
  facts: readonly Fact[],
  objects: readonly ObjectInfo[],
  interacted: ReadonlySet<number>,
  accepted: ReadonlyMap<number, number>,
  at: number,
): Suggestion | null {
  const drawn = [...interacted];
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let frame = 0; frame < facts.length; frame++) {
    const fact = facts[frame] as Fact;
    if (frame === at || !needsFix(fact) || accepted.has(frame)) continue;
    if (drawn.some((other) => Math.abs(other - frame) <= REACH)) continue;
    const score = (fact.confidence ?? 1) + Math.abs(frame - at) * 1e-6;
    if (score < least) {
      least = score;
      best = frame;
    }
  }
  const fact = facts[best];
  if (!fact) return null;
  return { frame: best, reason: reasonOf(fact, objects) };
}

function reasonOf(fact: Fact, objects: readonly ObjectInfo[]): string {
  const name = objects.find((object) => object.number === fact.weakest)?.name ?? `object ${fact.weakest}`;
  return `${Math.round((fact.confidence ?? 0) * 100)} % sure of “${name}”`;
}
