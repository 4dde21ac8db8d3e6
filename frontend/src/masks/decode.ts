/**
 * Masks in bytes: a container of several (a socket frame, an answer of /api/rounds/{id}/masks), and the label map in
 * each. The format stands in docs/contracts.md, "Masks in bytes"; tests/data/masks.json holds vectors of it.
 */
import { inflateSync } from "fflate";

export class MaskError extends Error {}

/** One mask as it travels and as it is kept: the label map is still compressed in `data`. */
export interface PackedMask {
  seq: number; // Mask.id
  round: number;
  frame: number;
  confidence: Uint8Array; // of object 1, 2, ...: 0..255
  data: Uint8Array;
}

/** What a mask says before its runs are read. A frame without objects has w = h = 0. */
export interface MaskHeader {
  width: number;
  height: number;
  x: number;
  y: number;
  w: number;
  h: number;
  ids: number[]; // ascending, those that occur in the box, 0 among them when it occurs
  at: number; // where the compressed runs begin
}

export interface LabelMap extends MaskHeader {
  labels: Uint8Array; // h x w, one object number per pixel of the box; outside the box all is 0
}

class Reader {
  at = 0;
  constructor(readonly bytes: Uint8Array) {}

  get ended(): boolean {
    return this.at >= this.bytes.length;
  }

  u8(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new MaskError("The mask ends in the middle of a number.");
    return byte;
  }

  /** An unsigned LEB128 number; Mask.id may pass 2^31, so no bit operations above 28 bits. */
  varint(): number {
    let value = 0;
    let unit = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
      unit *= 128;
      if (unit > 2 ** 49) throw new MaskError("A number in the mask is too long.");
    }
  }

  take(count: number): Uint8Array {
    if (this.at + count > this.bytes.length) throw new MaskError("The mask ends too early.");
    // A copy: a view would keep the whole container alive for as long as one of its masks.
    const part = this.bytes.slice(this.at, this.at + count);
    this.at += count;
    return part;
  }
}

/** Raises MaskError when the version or type is unknown, or the bytes end too early. */
export function readContainer(bytes: Uint8Array): PackedMask[] {
  const reader = new Reader(bytes);
  const version = reader.u8();
  const type = reader.u8();
  if (version !== 1 || type !== 1)
    throw new MaskError(`Unknown mask container: version ${version}, type ${type}.`);
  const masks: PackedMask[] = [];
  while (!reader.ended) {
    const [seq, round, frame] = [reader.varint(), reader.varint(), reader.varint()];
    const confidence = reader.take(reader.varint());
    const data = reader.take(reader.varint());
    masks.push({ seq, round, frame, confidence, data });
  }
  return masks;
}

export function readHeader(data: Uint8Array): MaskHeader {
  const reader = new Reader(data);
  const format = reader.u8();
  if (format !== 1) throw new MaskError(`Unknown mask format ${format}.`);
  const [width, height] = [reader.varint(), reader.varint()];
  const [x, y, w, h] = [reader.varint(), reader.varint(), reader.varint(), reader.varint()];
  if (x + w > width || y + h > height) throw new MaskError("The mask's box reaches outside its frame.");
  const ids: number[] = [];
  if (w > 0 && h > 0) for (let left = reader.varint(); left > 0; left--) ids.push(reader.varint());
  return { width, height, x, y, w, h, ids, at: reader.at };
}

/** Numbers of the objects that a mask shows, without reading its runs. */
export function maskIds(mask: PackedMask): number[] {
  return readHeader(mask.data).ids.filter((id) => id > 0);
}

/** The label map of a mask. Raises MaskError when its runs do not fill its box exactly. */
export function decodeMask(data: Uint8Array): LabelMap {
  const header = readHeader(data);
  const size = header.w * header.h;
  const labels = new Uint8Array(size);
  if (size > 0) fillRuns(labels, inflateSync(data.subarray(header.at)), header.ids);
  return { ...header, labels };
}

function fillRuns(labels: Uint8Array, runs: Uint8Array, ids: number[]): void {
  const count = ids.length;
  const steps = Math.max(count - 1, 1);
  let index = count - 1;
  let pixel = 0;
  let at = 0;
  while (at < runs.length) {
    let value = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = runs[at++] ?? 0;
      value |= (byte & 0x7f) << shift; // a run of a 4096 x 2304 frame times 254 steps stays below 2^32
      shift += 7;
    } while (byte >= 0x80);
    value >>>= 0;
    const length = Math.floor(value / steps);
    index = (index + 1 + (value - length * steps)) % count;
    const end = pixel + length;
    if (end > labels.length) throw new MaskError("The runs of the mask pass its box.");
    const id = ids[index] ?? 0;
    if (id !== 0) labels.fill(id, pixel, end);
    pixel = end;
  }
  if (pixel !== labels.length) throw new MaskError("The runs of the mask end before its box does.");
}
