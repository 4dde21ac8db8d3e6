/** What the engine would answer to the waiting scribbles of a frame, or to a click that hovering would make. Never stored. */
import type { PackedMask } from "../masks/decode";

export interface Preview {
  readonly frame: number;
  readonly of: "drawn" | "hover"; // what was asked for: the waiting scribbles, or a click below the pointer
  readonly asked: number; // performance.now() of the question
  readonly answered: boolean; // whether the answer is here
  readonly head: number | null; // the head then: a later round answers better
  readonly drawn: readonly string[]; // the keys of the scribbles that waited then
  readonly mask: PackedMask | null; // the newest answer
  readonly shown: readonly string[]; // the keys of the scribbles that this answer contains
}

/**
 * Returns the answer that stands in for the mask `stored` of `frame`; null if there is none, or if a version was made
 * since it was asked for.
 */
export function previewOf(
  preview: Preview | null,
  frame: number,
  stored: PackedMask | null,
): PackedMask | null {
  const answered = stored !== null && stored.round > (preview?.head ?? 0);
  return preview?.frame === frame && !answered ? preview.mask : null;
}
