/** Connected parts of a bitmap: holes to fill and islands to remove. Pixels are connected by their four sides. */
import type { Bitmap } from "./bitmap";

/**
 * Returns the pixels (indexes, row-major) that are connected with `start` and have its value, by a scanline search.
 * `touchesEdge` says whether one of them lies at the edge of the frame.
 */
export function partAt(bitmap: Bitmap, start: number): { pixels: Uint32Array; touchesEdge: boolean } {
  const { width, height, bits } = bitmap;
  const value = bits[start];
  const seen = new Uint8Array(bits.length);
  const stack = [start];
  const found: number[] = [];
  let touchesEdge = false;
  const free = (at: number): boolean => bits[at] === value && seen[at] === 0;
  while (stack.length > 0) {
    const at = stack.pop() as number;
    if (!free(at)) continue;
    const row = Math.floor(at / width);
    let [from, to] = [at, at];
    while (from > row * width && free(from - 1)) from--;
    while (to < (row + 1) * width - 1 && free(to + 1)) to++;
    if (row === 0 || row === height - 1 || from === row * width || to === (row + 1) * width - 1)
      touchesEdge = true;
    for (let pixel = from; pixel <= to; pixel++) {
      seen[pixel] = 1;
      found.push(pixel);
    }
    for (const step of [-width, width]) {
      if (row + Math.sign(step) < 0 || row + Math.sign(step) >= height) continue;
      for (let pixel = from; pixel <= to; pixel++)
        if (free(pixel + step) && (pixel === from || !free(pixel + step - 1))) stack.push(pixel + step);
    }
  }
  return { pixels: Uint32Array.from(found), touchesEdge };
}

/**
 * Removes the island at a pixel of the object, or fills the hole at a pixel beside it. A hole is a part of the background
 * that the object surrounds: what reaches the edge of the frame is none. Returns what was done; null if it was nothing.
 */
export function toggleIsland(bitmap: Bitmap, start: number): "filled" | "removed" | null {
  const island = bitmap.bits[start] === 1;
  const { pixels, touchesEdge } = partAt(bitmap, start);
  if (!island && touchesEdge) return null;
  for (const pixel of pixels) bitmap.bits[pixel] = island ? 0 : 1;
  return island ? "removed" : "filled";
}
