/** Reads a mask at a smaller size, for thumbnails: a fraction of its pixels, without making a label map of all of them. */
import type { LabelMap } from "./decode";

/**
 * Returns the labels at the centres of `columns` x `rows` equal cells of the frame, row-major. The cost grows with the
 * number of cells and with the logarithm of the number of runs.
 */
export function sampleLabels(map: LabelMap, columns: number, rows: number): Uint8Array {
  const sampled = new Uint8Array(columns * rows);
  const { starts, values, x, y, w, h } = map;
  for (let row = 0; row < rows; row++) {
    const line = Math.floor(((row + 0.5) * map.height) / rows) - y;
    if (line < 0 || line >= h) continue;
    let run = runAt(starts, line * w);
    for (let column = 0; column < columns; column++) {
      const place = Math.floor(((column + 0.5) * map.width) / columns) - x;
      if (place < 0) continue;
      if (place >= w) break;
      while ((starts[run + 1] as number) <= line * w + place) run++;
      sampled[row * columns + column] = values[run] as number;
    }
  }
  return sampled;
}

/** Returns the run that covers a pixel of the box, by bisection. */
function runAt(starts: Uint32Array, pixel: number): number {
  let [low, high] = [0, starts.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] as number) <= pixel) low = middle;
    else high = middle - 1;
  }
  return low;
}
