/**
 * Times that the page measures of itself, which benchmarks read as `window.__maskwright`: the last 2,000 of each
 * kind.
 */

export interface PaintTime {
  frame: number;
  ms: number; // for frame and mask together
  picture: boolean; // false: only the mask changed
}

/** When a mask was received and painted, in milliseconds since 1970, to compare with the server's clock. */
export interface MaskTime {
  seq: number;
  round: number;
  frame: number;
  received: number;
  painted: number | null; // null: its frame is not in view
}

export interface Metrics {
  paints: PaintTime[];
  masks: MaskTime[];
  decodes: number[]; // ms
  /** The time from the end of a stroke until the first mask of a newer round is painted on its frame, in ms. */
  releases: { frame: number; ms: number }[];
}

const MOST = 2000;

export const metrics: Metrics = { paints: [], masks: [], decodes: [], releases: [] };

declare global {
  var __maskwright: Metrics | undefined;
}
globalThis.__maskwright = metrics;

export function record<K extends keyof Metrics>(kind: K, entry: Metrics[K][number]): void {
  const list = metrics[kind] as Metrics[K][number][];
  list.push(entry);
  if (list.length > MOST) list.splice(0, list.length - MOST);
}

/** Strokes that have ended and whose masks are not painted yet, by frame. */
const released = new Map<number, { at: number; round: number | null }>();

/** Notes the end of a stroke at the time `at`. `round` is the round whose mask the frame shows now. */
export function strokeReleased(frame: number, at: number, round: number | null): void {
  if (!released.has(frame)) released.set(frame, { at, round });
}

export function maskPainted(frame: number, round: number, seq: number): void {
  const stroke = released.get(frame);
  if (stroke && stroke.round !== round) {
    released.delete(frame);
    record("releases", { frame, ms: performance.now() - stroke.at });
  }
  const mask = metrics.masks.findLast((other) => other.seq === seq);
  if (mask && mask.painted === null) mask.painted = performance.timeOrigin + performance.now();
}

export function maskReceived(seq: number, round: number, frame: number): void {
  const received = performance.timeOrigin + performance.now();
  record("masks", { seq, round, frame, received, painted: null });
}
