/** Smooths the contour of an object: each pixel takes the value that most of its neighbourhood has. */
import type { Bitmap, Box } from "./bitmap";

/**
 * Replaces each pixel of `box` by the majority of the pixels within `radius` of it (a disc, in pixels), counted in
 * `source`, and writes the result to `target`. Pixels outside of the frame do not count. Ties keep the pixel.
 */
export function smoothInto(target: Bitmap, source: Bitmap, box: Box, radius: number): void {
  const { width, height } = source;
  const reach = Math.ceil(radius);
  const halves = Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.floor(Math.sqrt(Math.max(0, radius * radius - (i - reach) ** 2))),
  );
  const sums = rowSums(source, Math.max(0, box.y - reach), Math.min(height, box.y + box.h + reach));
  for (let y = box.y; y < box.y + box.h; y++)
    for (let x = box.x; x < box.x + box.w; x++) {
      let [inside, all] = [0, 0];
      for (let step = -reach; step <= reach; step++) {
        const row = y + step;
        if (row < 0 || row >= height || Math.abs(step) > radius) continue;
        const half = halves[step + reach] as number;
        const from = Math.max(0, x - half);
        const to = Math.min(width, x + half + 1);
        const start = (row - sums.first) * (width + 1);
        inside += (sums.values[start + to] as number) - (sums.values[start + from] as number);
        all += to - from;
      }
      if (2 * inside !== all) target.bits[y * width + x] = 2 * inside > all ? 1 : 0;
    }
}

/** Returns for each row from `first` up to `end` the number of pixels of the object left of each column. */
function rowSums({ width, bits }: Bitmap, first: number, end: number): { first: number; values: Int32Array } {
  const values = new Int32Array(Math.max(0, end - first) * (width + 1));
  for (let row = first; row < end; row++)
    for (let x = 0, start = (row - first) * (width + 1); x < width; x++)
      values[start + x + 1] = (values[start + x] as number) + (bits[row * width + x] as number);
  return { first, values };
}
