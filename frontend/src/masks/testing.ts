/** For tests: label maps written as text, and packed the way the server packs them. */
import { deflateSync } from "fflate";
import type { LabelMap, PackedMask } from "./decode";

/** Rows of digits, "." for background: the whole frame is the box. */
export function labelMap(...rows: string[]): LabelMap {
  const w = rows[0]?.length ?? 0;
  const labels = Uint8Array.from(rows.join(""), (cell) => (cell === "." ? 0 : Number(cell)));
  const ids = [...new Set(labels)].sort((a, b) => a - b);
  const starts = [...labels.keys()].filter((at) => at === 0 || labels[at] !== labels[at - 1]);
  return {
    width: w,
    height: rows.length,
    x: 0,
    y: 0,
    w,
    h: rows.length,
    ids,
    at: 0,
    starts: Uint32Array.of(...starts, labels.length),
    values: Uint8Array.from(starts, (at) => labels[at] as number),
  };
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

function pack(map: LabelMap): Uint8Array {
  const { ids, starts, values } = map;
  const runs: number[] = [];
  let before = ids.length - 1;
  for (let run = 0; run < values.length; run++) {
    const length = (starts[run + 1] as number) - (starts[run] as number);
    const index = ids.indexOf(values[run] as number);
    const step = (index - before - 1 + 2 * ids.length) % ids.length;
    runs.push(...varint(length * Math.max(ids.length - 1, 1) + step));
    before = index;
  }
  const head = [map.width, map.height, map.x, map.y, map.w, map.h, ids.length, ...ids].flatMap(varint);
  return new Uint8Array([1, ...head, ...deflateSync(new Uint8Array(runs))]);
}

/** A mask of 3 x 2 pixels that shows `ids`, unless `rows` says what it shows. */
export function packedMask(mask: {
  seq?: number;
  round: number;
  frame: number;
  confidence?: number[];
  rows?: string[];
}): PackedMask {
  const { seq = 1, round, frame, confidence = [], rows = ["1..", ".2."] } = mask;
  return { seq, round, frame, confidence: Uint8Array.from(confidence), data: pack(labelMap(...rows)) };
}
