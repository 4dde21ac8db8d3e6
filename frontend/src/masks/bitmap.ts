/** The pixels of one object in one frame while a person paints it: one byte for each pixel, 1 where the object is. */

export interface Bitmap {
  readonly width: number;
  readonly height: number;
  /** Row-major, width * height bytes of 0 or 1. */
  readonly bits: Uint8Array;
}

/** A box of pixels: columns x up to x + w, rows y up to y + h, both ends excluded. It is empty if w or h is 0. */
export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

export function emptyBitmap(width: number, height: number): Bitmap {
  return { width, height, bits: new Uint8Array(width * height) };
}

export function copyOf({ width, height, bits }: Bitmap): Bitmap {
  return { width, height, bits: bits.slice() };
}

export function isEmpty({ bits }: Bitmap): boolean {
  return !bits.includes(1);
}

/** Whether two bitmaps of the same size have the same pixels. */
export function samePixels(a: Bitmap, b: Bitmap): boolean {
  return a.bits.length === b.bits.length && a.bits.every((bit, at) => bit === b.bits[at]);
}

/** Returns the box of pixels around `x0..x1`, `y0..y1` (in pixels, not rounded) that lie in the frame. */
export function boxWithin(
  { width, height }: { width: number; height: number },
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): Box {
  const [left, top] = [Math.max(0, Math.floor(x0)), Math.max(0, Math.floor(y0))];
  const [right, bottom] = [Math.min(width, Math.ceil(x1)), Math.min(height, Math.ceil(y1))];
  const [w, h] = [right - left, bottom - top];
  return w > 0 && h > 0 ? { x: left, y: top, w, h } : { x: 0, y: 0, w: 0, h: 0 };
}

/** Returns the box around all values above 0 of a row-major array; an empty box if there are none. */
export function boundsOf(labels: Uint8Array, width: number): Box {
  const first = labels.findIndex((label) => label !== 0);
  if (first < 0) return { x: 0, y: 0, w: 0, h: 0 };
  const last = labels.findLastIndex((label) => label !== 0);
  const [top, bottom] = [Math.floor(first / width), Math.floor(last / width)];
  let [left, right] = [width, -1];
  for (let row = top; row <= bottom; row++) {
    const start = row * width;
    for (let column = 0; column < left; column++) if (labels[start + column] !== 0) left = column;
    for (let column = width - 1; column > right; column--) if (labels[start + column] !== 0) right = column;
  }
  return { x: left, y: top, w: right + 1 - left, h: bottom + 1 - top };
}

/** Returns the values of a box of a row-major array, row-major. */
export function cropped(labels: Uint8Array, width: number, { x, y, w, h }: Box): Uint8Array {
  const flat = new Uint8Array(w * h);
  for (let row = 0; row < h; row++) {
    const start = (y + row) * width + x;
    flat.set(labels.subarray(start, start + w), row * w);
  }
  return flat;
}
