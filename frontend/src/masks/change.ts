/** How much of an object two masks of one frame have in common. */
import { frameLabels } from "./compose";
import { decodeMask, type PackedMask } from "./decode";

const known = new WeakMap<PackedMask, { before: PackedMask; object: number; part: number | null }>();

/**
 * Returns the share of an object's pixels that differ between two masks of the same frame, 0..1: those that only one of
 * the masks has, of those that at least one has. Null if one of the masks does not show the object. The newest answer for
 * a mask is kept.
 */
export function movedPart(before: PackedMask, now: PackedMask, object: number): number | null {
  const last = known.get(now);
  if (last?.before === before && last.object === object) return last.part;
  const part = compare(before, now, object);
  known.set(now, { before, object, part });
  return part;
}

function compare(before: PackedMask, now: PackedMask, object: number): number | null {
  const [a, b] = [before, now].map((mask) => frameLabels(decodeMask(mask.data))) as [Uint8Array, Uint8Array];
  if (a.length !== b.length) return null;
  let [one, both, other] = [0, 0, 0];
  for (let at = 0; at < a.length; at++) {
    if (a[at] === object) {
      if (b[at] === object) both++;
      else one++;
    } else if (b[at] === object) other++;
  }
  return one + both === 0 || other + both === 0 ? null : (one + other) / (one + both + other);
}
