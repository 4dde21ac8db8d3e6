/** Fills pixels from decoded masks by table lookups, and only inside the bounding boxes of the old and the new mask. */
import type { Box } from "../masks/bitmap";
import type { DecodedMask } from "../masks/contour";
import { labelsOf } from "../masks/decode";
import type { ChangeTables, ColorTable } from "./table";
import type { Size } from "./view";

const NOTHING: Box = { x: 0, y: 0, w: 0, h: 0 };

export function union(a: Box, b: Box): Box {
  if (a.w === 0) return b;
  if (b.w === 0) return a;
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  return { x, y, w: Math.max(a.x + a.w, b.x + b.w) - x, h: Math.max(a.y + a.h, b.y + b.h) - y };
}

/** The pixels of the mask layer, in the size of the frame, and the box that is not transparent. */
export class MaskPixels {
  readonly data: Uint8ClampedArray<ArrayBuffer>;
  private readonly pixels: Uint32Array;
  private filled: Box = NOTHING;

  constructor(readonly size: Size) {
    this.data = new Uint8ClampedArray(size.width * size.height * 4);
    this.pixels = new Uint32Array(this.data.buffer);
  }

  /** Clears the layer and returns the box that changed. */
  clear(): Box {
    const { x, y, w, h } = this.filled;
    for (let row = y; row < y + h; row++) {
      const start = row * this.size.width + x;
      this.pixels.fill(0, start, start + w);
    }
    this.filled = NOTHING;
    return { x, y, w, h };
  }

  /** Paints one mask: its runs, then its contour over them. Returns the box that changed. */
  show(map: DecodedMask, table: ColorTable): Box {
    const before = this.clear();
    const { starts, values, rim, rimCells, w } = map;
    for (let run = 0; run < values.length; run++) {
      const color = table[values[run] as number] as number;
      if (color !== 0) this.fill(map, starts[run] as number, starts[run + 1] as number, color);
    }
    const corner = map.y * this.size.width + map.x;
    const skip = this.size.width - w; // pixels from the end of a row of the box to the start of its next row
    for (let i = 0; i < rim.length; i++) {
      const pixel = rim[i] as number;
      this.pixels[corner + pixel + Math.floor(pixel / w) * skip] = table[rimCells[i] as number] as number;
    }
    this.filled = { x: map.x, y: map.y, w, h: map.h };
    return union(before, this.filled);
  }

  /** Fills the pixels of the box from `start` up to `end`, which may be several rows below. */
  private fill(box: Box, start: number, end: number, color: number): void {
    for (let at = start; at < end; ) {
      const row = Math.floor(at / box.w);
      const until = Math.min(end, (row + 1) * box.w);
      const line = (box.y + row) * this.size.width + box.x - row * box.w;
      this.pixels.fill(color, line + at, line + until);
      at = until;
    }
  }

  /**
   * Paints the difference of two masks: added pixels plain, removed pixels hatched, the rest dim. Returns the box
   * that changed.
   */
  showChanges(now: DecodedMask, then: DecodedMask, tables: ChangeTables): Box {
    const before = this.clear();
    const box = union(now, then);
    const [nowLabels, thenLabels] = [labelsOf(now), labelsOf(then)];
    for (let y = box.y; y < box.y + box.h; y++) {
      const out = y * this.size.width;
      for (let x = box.x; x < box.x + box.w; x++) {
        const a = labelAt(now, nowLabels, x, y);
        const b = labelAt(then, thenLabels, x, y);
        if (a > 0 || b > 0) this.pixels[out + x] = colorOfChange(a, b, x, y, tables);
      }
    }
    this.filled = box;
    return union(before, box);
  }
}

/** Returns the colour of a pixel that had the label `b` and has the label `a`; one of them is not 0. */
function colorOfChange(a: number, b: number, x: number, y: number, tables: ChangeTables): number {
  if (a === b) return tables.same[a] as number;
  return a > 0 ? (tables.won[a] as number) : hatch(x, y, tables.lost[b] as number);
}

/** Returns the pixels of a label map without contours, as a thumbnail shows them. */
export function colorsOf(labels: Uint8Array, table: ColorTable): Uint32Array<ArrayBuffer> {
  const pixels = new Uint32Array(labels.length);
  for (let at = 0; at < labels.length; at++) pixels[at] = table[labels[at] as number] as number;
  return pixels;
}

/** Returns the pixels that show the difference of two label maps of the same size, `width` pixels wide. */
export function colorsOfChanges(
  now: Uint8Array,
  then: Uint8Array,
  width: number,
  tables: ChangeTables,
): Uint32Array<ArrayBuffer> {
  const pixels = new Uint32Array(now.length);
  for (let at = 0; at < now.length; at++) {
    const [a, b] = [now[at] as number, then[at] as number];
    if (a > 0 || b > 0) pixels[at] = colorOfChange(a, b, at % width, Math.floor(at / width), tables);
  }
  return pixels;
}

function labelAt(map: Box, labels: Uint8Array, x: number, y: number): number {
  const column = x - map.x;
  const row = y - map.y;
  if (column < 0 || row < 0 || column >= map.w || row >= map.h) return 0;
  return labels[row * map.w + column] as number;
}

/** Whether a pixel lies on a diagonal line. Hatching tells removed from added pixels without relying on colour. */
function hatch(x: number, y: number, color: number): number {
  return ((x + y) & 7) < 3 ? color : 0;
}
