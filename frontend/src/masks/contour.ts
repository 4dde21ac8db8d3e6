/**
 * How deep each pixel of a label map lies below the contour of its object. Computed once when a mask is decoded, so that
 * contours of any thickness, on or off, are a change of the colour table and not a pass over the picture.
 */
import type { LabelMap } from "./decode";

export const MAX_DEPTH = 4;

/** A decoded mask, ready to paint: `cells` is h x w, object number + 256 * depth. Depth 1 touches another object or the
 * background, 2 lies below that, up to MAX_DEPTH; 0 = deeper. The edge of the frame is no contour. */
export interface CellMap extends LabelMap {
  cells: Uint16Array;
}

export function withDepth(map: LabelMap): CellMap {
  const cells = new Uint16Array(map.labels.length);
  let rim = markRim(map, cells);
  for (let depth = 2; depth <= MAX_DEPTH; depth++) rim = sink(map, cells, rim, depth);
  return { ...map, cells };
}

/** Writes the labels and marks depth 1; returns the pixels so marked. */
function markRim(map: LabelMap, cells: Uint16Array): number[] {
  const { labels, w, h } = map;
  // Outside the box there is background, but outside the frame there is nothing to be told apart from.
  const left = map.x > 0;
  const right = map.x + w < map.width;
  const top = map.y > 0;
  const bottom = map.y + h < map.height;
  const rim: number[] = [];
  for (let y = 0, i = 0; y < h; y++) {
    for (let x = 0; x < w; x++, i++) {
      const label = labels[i] as number;
      if (label === 0) continue;
      const edge =
        (x > 0 ? labels[i - 1] !== label : left) ||
        (x < w - 1 ? labels[i + 1] !== label : right) ||
        (y > 0 ? labels[i - w] !== label : top) ||
        (y < h - 1 ? labels[i + w] !== label : bottom);
      if (edge) {
        cells[i] = label | 256;
        rim.push(i);
      } else cells[i] = label;
    }
  }
  return rim;
}

/** Marks the still unmarked neighbours of `rim` that belong to the same object with `depth`, and returns them. */
function sink(map: LabelMap, cells: Uint16Array, rim: number[], depth: number): number[] {
  const { w } = map;
  const next: number[] = [];
  for (const i of rim) {
    const label = (cells[i] as number) & 255;
    const x = i % w;
    if (x > 0 && cells[i - 1] === label) mark(i - 1);
    if (x < w - 1 && cells[i + 1] === label) mark(i + 1);
    if (cells[i - w] === label) mark(i - w);
    if (cells[i + w] === label) mark(i + w);

    function mark(j: number): void {
      cells[j] = label | (depth << 8);
      next.push(j);
    }
  }
  return next;
}
