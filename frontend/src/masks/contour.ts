/**
 * Which pixels of a label map lie at the contour of their object, and at what depth below it. This is computed once
 * when a mask is decoded, so that changing the width of contours only changes the colour table.
 */
import { type LabelMap, labelsOf } from "./decode";

export const MAX_DEPTH = 4;

/**
 * A decoded mask, ready to paint. `rim` are pixels of the box (row-major), `rimCells` the object's number + 256 *
 * depth of each. Depth 1 touches another object or the background, 2 lies below that, up to MAX_DEPTH; all other
 * pixels lie deeper. The edge of the frame is no contour.
 */
export interface DecodedMask extends LabelMap {
  rim: Uint32Array;
  rimCells: Uint16Array;
}

export function withContour(map: LabelMap): DecodedMask {
  const labels = labelsOf(map);
  const rim: number[] = [];
  // Pixels of the rim are cleared in `labels`, so that each is found once.
  const cells: number[] = [];
  const mark = (pixel: number, depth: number): void => {
    const label = labels[pixel] as number;
    if (label === 0) return;
    labels[pixel] = 0;
    rim.push(pixel);
    cells.push(label | (depth << 8));
  };
  markRunEnds(map, mark);
  markAcrossLines(map, mark);
  markBoxEdges(map, mark);
  for (let depth = 2, from = 0; depth <= MAX_DEPTH; depth++) {
    const to = rim.length;
    for (; from < to; from++) {
      const pixel = rim[from] as number;
      const label = (cells[from] as number) & 255;
      const column = pixel % map.w;
      // Pixels above and below the box have no label, so they need no check of their own.
      if (labels[pixel - map.w] === label) mark(pixel - map.w, depth);
      if (labels[pixel + map.w] === label) mark(pixel + map.w, depth);
      if (column > 0 && labels[pixel - 1] === label) mark(pixel - 1, depth);
      if (column < map.w - 1 && labels[pixel + 1] === label) mark(pixel + 1, depth);
    }
  }
  return { ...map, rim: Uint32Array.from(rim), rimCells: Uint16Array.from(cells) };
}

type Mark = (pixel: number, depth: number) => void;

/** Finds pixels whose left or right neighbour differs: where a run ends within a row. */
function markRunEnds({ starts, values, w }: LabelMap, mark: Mark): void {
  for (let run = 1; run < values.length; run++) {
    const start = starts[run] as number;
    if (start === 0 || start % w === 0) continue;
    mark(start - 1, 1);
    mark(start, 1);
  }
}

/** Finds pixels whose upper or lower neighbour differs, by comparing the runs with the runs one row below. */
function markAcrossLines({ starts, values, w, h }: LabelMap, mark: Mark): void {
  let upper = 0; // run of the pixel `at - w`
  let lower = 0; // run of the pixel `at`
  const end = w * h;
  for (let at = w; at < end; ) {
    while ((starts[lower + 1] as number) <= at) lower++;
    while ((starts[upper + 1] as number) <= at - w) upper++;
    const until = Math.min(starts[lower + 1] as number, (starts[upper + 1] as number) + w);
    if (values[lower] !== values[upper])
      for (let pixel = at; pixel < until; pixel++) {
        mark(pixel, 1);
        mark(pixel - w, 1);
      }
    at = until;
  }
}

/** Outside of the box is background, which makes a contour. The edge of the frame makes none. */
function markBoxEdges({ x, y, w, h, width, height }: LabelMap, mark: Mark): void {
  for (let column = 0; column < w; column++) {
    if (y > 0) mark(column, 1);
    if (y + h < height) mark((h - 1) * w + column, 1);
  }
  for (let row = 0; row < h; row++) {
    if (x > 0) mark(row * w, 1);
    if (x + w < width) mark(row * w + w - 1, 1);
  }
}
