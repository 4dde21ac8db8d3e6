/**
 * Paintings: the new masks of one object in one frame that this person made by hand and that the page does not have
 * back from the server yet. They are shown over the stored mask until the painted round arrives.
 */
import { applyBitmap, frameLabels, labelMapOf, type Over, type Protection } from "../masks/compose";
import { type DecodedMask, withContour } from "../masks/contour";
import { decodeMask, type PackedMask } from "../masks/decode";

export interface Painting {
  readonly key: string; // of the message that carries it
  readonly frame: number;
  readonly object: number;
  readonly over: Over;
  /** The object's new mask as encodeBitmap() writes it. */
  readonly data: Uint8Array;
  /** The painted round, once the server has acknowledged the message. */
  readonly round: number | null;
}

/** Returns the label map that a frame shows with paintings over its stored mask, row-major. */
export function paintedLabels(
  size: { width: number; height: number },
  stored: PackedMask | null,
  paintings: readonly Painting[],
  protection: Protection,
): Uint8Array {
  const labels = stored ? frameLabels(decodeMask(stored.data)) : new Uint8Array(size.width * size.height);
  for (const { object, over, data } of paintings)
    applyBitmap(labels, object, frameLabels(decodeMask(data)), over, protection);
  return labels;
}

export function decodedOf(
  labels: Uint8Array,
  { width, height }: { width: number; height: number },
): DecodedMask {
  return withContour(labelMapOf(labels, width, height));
}
