/** Puts what a person paints into the label map of a frame, by the rule for pixels of other objects. */
import { type Bitmap, boundsOf, cropped } from "./bitmap";
import { type LabelMap, labelsOf } from "./decode";

/** Whether painting takes pixels from other objects: from none, from those that are not locked, or from all. */
export type Over = "none" | "unlocked" | "all";

/** The objects of a frame whose pixels painting leaves alone. */
export interface Protection {
  readonly locked: ReadonlySet<number>; // where `over` is "unlocked"
  readonly accepted: ReadonlySet<number>; // always
}

/** Returns the label map of the whole frame, row-major, that a decoded mask stands for. */
export function frameLabels(map: LabelMap): Uint8Array {
  const labels = new Uint8Array(map.width * map.height);
  const box = labelsOf(map);
  for (let row = 0; row < map.h; row++)
    labels.set(box.subarray(row * map.w, (row + 1) * map.w), (map.y + row) * map.width + map.x);
  return labels;
}

/** Returns the pixels of one object of a label map. */
export function bitmapOf(labels: Uint8Array, width: number, height: number, object: number): Bitmap {
  const bits = new Uint8Array(labels.length);
  for (let at = 0; at < labels.length; at++) if (labels[at] === object) bits[at] = 1;
  return { width, height, bits };
}

/**
 * Writes the new pixels of `object` into `labels`. Pixels that it no longer has become background. Pixels of another
 * object change only if `over` and its protection allow it.
 */
export function applyBitmap(
  labels: Uint8Array,
  object: number,
  bits: Uint8Array,
  over: Over,
  { locked, accepted }: Protection,
): void {
  const mayTake = (label: number): boolean =>
    label === 0 || (!accepted.has(label) && (over === "all" || (over === "unlocked" && !locked.has(label))));
  for (let at = 0; at < labels.length; at++) {
    const label = labels[at] as number;
    if (bits[at] === 0) {
      if (label === object) labels[at] = 0;
    } else if (mayTake(label)) labels[at] = object;
  }
}

/** Returns the label map as runs over the box of its objects, as decode.ts gives it, so that it is shown like a stored one. */
export function labelMapOf(labels: Uint8Array, width: number, height: number): LabelMap {
  const box = boundsOf(labels, width);
  const flat = cropped(labels, width, box);
  const starts: number[] = [];
  const values: number[] = [];
  for (let at = 0; at < flat.length; at++) {
    if (at > 0 && flat[at] === flat[at - 1]) continue;
    starts.push(at);
    values.push(flat[at] as number);
  }
  starts.push(flat.length);
  const ids = [...new Set(values)].sort((a, b) => a - b);
  const runs = { starts: Uint32Array.from(starts), values: Uint8Array.from(values) };
  return { width, height, ...box, ids, at: 0, ...runs };
}
