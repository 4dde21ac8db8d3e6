/**
 * Decodes masks: a container of several masks (a socket frame, an answer of /api/rounds/{id}/masks), and the label
 * map of each. docs/contracts.md describes the format under "Masks in bytes"; tests/data/masks.json holds test
 * vectors.
 */
import { inflateSync } from "fflate";

export class MaskError extends Error {}

/** One mask as it is sent and stored: the label map is compressed in `data`. */
export interface PackedMask {
  seq: number; // Mask.id
  round: number;
  frame: number;
  confidence: Uint8Array; // of object 1, 2, ...: 0..255
  data: Uint8Array;
}

/** The header of a mask. A frame without objects has w = h = 0. */
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

/**
 * A label map as runs, row-major over its box and going on over line ends: run i covers the pixels from starts[i] up to
 * starts[i + 1] and is of object values[i] (0 = background). Outside the box all is 0.
 */
export interface LabelMap extends MaskHeader {
  starts: Uint32Array; // one more than values: the last is w * h
  values: Uint8Array;
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

const STORED = 1;
const PREVIEW = 2;

/** Whether a container holds masks that are only a preview: they are not stored, and their numbers mean nothing. */
export function isPreview(bytes: Uint8Array): boolean {
  return bytes[1] === PREVIEW;
}

/** Reads a container. Throws MaskError if the version or type is unknown, or the bytes end too early. */
export function readContainer(bytes: Uint8Array): PackedMask[] {
  const reader = new Reader(bytes);
  const version = reader.u8();
  const type = reader.u8();
  if (version !== 1 || (type !== STORED && type !== PREVIEW))
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

/** Returns the ids of the objects in a mask, without reading its runs. */
export function maskIds(mask: PackedMask): number[] {
  return readHeader(mask.data).ids.filter((id) => id > 0);
}

/** Returns the label map of a mask. Throws MaskError if its runs do not fill its box exactly. */
export function decodeMask(data: Uint8Array): LabelMap {
  const header = readHeader(data);
  const size = header.w * header.h;
  if (size === 0) return { ...header, starts: new Uint32Array(1), values: new Uint8Array() };
  return { ...header, ...readRuns(inflated(data.subarray(header.at)), header.ids, size) };
}

// Without a buffer, the inflater makes one of at least 128 kB for each mask, which takes longer than its work.
const scratch = new Uint8Array(1 << 17);

/** Returns the inflated bytes. They are valid until the next call. */
function inflated(bytes: Uint8Array): Uint8Array {
  const part = inflateSync(bytes, { out: scratch });
  return part.length < scratch.length ? part : inflateSync(bytes); // They do not fit into the buffer.
}

function readRuns(bytes: Uint8Array, ids: number[], size: number): Pick<LabelMap, "starts" | "values"> {
  const starts = new Uint32Array(bytes.length + 1); // each run takes at least one byte
  const values = new Uint8Array(bytes.length);
  const steps = Math.max(ids.length - 1, 1);
  let index = ids.length - 1;
  let count = 0;
  let pixel = 0;
  for (let at = 0; at < bytes.length; count++) {
    let value = 0;
    let unit = 1;
    let byte: number;
    do {
      byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * unit; // up to 2^42: no bit operations
      unit *= 128;
    } while (byte >= 0x80);
    const length = Math.floor(value / steps);
    index = (index + 1 + (value - length * steps)) % ids.length;
    starts[count] = pixel;
    values[count] = ids[index] ?? 0;
    pixel += length;
  }
  if (pixel !== size) throw new MaskError("The runs of the mask do not fill its box.");
  starts[count] = size;
  return { starts: starts.slice(0, count + 1), values: values.slice(0, count) };
}

/** Returns the label map as one byte per pixel of the box, h x w. */
export function labelsOf(map: LabelMap): Uint8Array {
  const labels = new Uint8Array(map.w * map.h);
  for (let run = 0; run < map.values.length; run++) {
    const value = map.values[run] as number;
    if (value !== 0) labels.fill(value, map.starts[run], map.starts[run + 1]);
  }
  return labels;
}
