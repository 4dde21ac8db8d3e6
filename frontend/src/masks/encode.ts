/** Encodes a mask as the server does (webapp/annotation/codec.py), for what a person painted. decode.ts reads it. */
import { deflateSync } from "fflate";
import { type Bitmap, boundsOf, cropped } from "./bitmap";

const FORMAT = 1;

/** Returns the bytes of one object's mask: a label map of 0 and 1 in the format of "Masks in bytes". */
export function encodeBitmap({ width, height, bits }: Bitmap): Uint8Array {
  return encodeLabels(width, height, bits);
}

/** Returns the bytes of a label map, row-major, of at most 32,768 pixels on each side. */
export function encodeLabels(width: number, height: number, labels: Uint8Array): Uint8Array {
  const box = boundsOf(labels, width);
  const { x, y, w, h } = box;
  const head = [FORMAT, width, height, x, y, w, h].flatMap(varint);
  if (w === 0) return Uint8Array.from(head);
  const { ids, runs } = runsOf(cropped(labels, width, box));
  const packed = deflateSync(runs, { level: 6 });
  return concatenated(Uint8Array.from([...head, ...[ids.length, ...ids].flatMap(varint)]), packed);
}

/** Returns the bytes as text that fits into JSON. */
export function base64Of(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192)); // more arguments would overflow the stack
  return btoa(text);
}

export function bytesOfBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Returns the ids in a box, ascending, and its runs: a LEB128 number for each, of its length and its step to its id. */
function runsOf(flat: Uint8Array): { ids: number[]; runs: Uint8Array } {
  const ids = [...new Set(flat)].sort((a, b) => a - b);
  const indexOf = new Map(ids.map((id, index) => [id, index]));
  const last = ids.length - 1;
  const steps = Math.max(last, 1);
  const runs: number[] = [];
  let before = last;
  const add = (index: number, length: number): void => {
    const step = (index - before - 1 + 2 * ids.length) % ids.length;
    runs.push(...varint(length * steps + step));
    before = index;
  };
  // The first run counts as following a run of the last id, and a step cannot name the same id again. If the first run is
  // of the last id, an empty run of the first id is put before it.
  if (last > 0 && flat[0] === ids[last]) add(0, 0);
  for (let at = 0; at < flat.length; ) {
    const label = flat[at] as number;
    let end = at + 1;
    while (end < flat.length && flat[end] === label) end++;
    add(indexOf.get(label) as number, end - at);
    at = end;
  }
  return { ids, runs: Uint8Array.from(runs) };
}

/** An unsigned LEB128 number: seven bits a byte, lowest first; the top bit says that more bytes follow. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

function concatenated(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
