/** The scale of the timeline: it shows `count` frames, `first` frames are to the left of it. Both may be fractions. */

export interface Scale {
  first: number;
  count: number;
  /** Frames of the video. */
  total: number;
  /** CSS pixels. */
  width: number;
}

/** The widest cell of a frame, in pixels: wide enough for a finger. */
const FEWEST = 12;

export function whole(total: number, width: number): Scale {
  return { first: 0, count: Math.max(1, total), total, width };
}

export function clamp(scale: Scale): Scale {
  const total = Math.max(1, scale.total);
  const count = Math.min(total, Math.max(Math.min(FEWEST, total), scale.count));
  const first = Math.min(total - count, Math.max(0, scale.first));
  return { ...scale, first, count };
}

export function isWhole(scale: Scale): boolean {
  return scale.count >= scale.total;
}

/** Returns the left edge of a frame's cell, in pixels. */
export function xOf(scale: Scale, frame: number): number {
  return ((frame - scale.first) / scale.count) * scale.width;
}

export function cellWidth(scale: Scale): number {
  return scale.width / scale.count;
}

/** Returns the frame at `x`; beyond the ends the first or the last frame. */
export function frameAt(scale: Scale, x: number): number {
  const frame = Math.floor(scale.first + (x / Math.max(1, scale.width)) * scale.count);
  return Math.min(scale.total - 1, Math.max(0, frame));
}

/** Returns a scale that shows `factor` times as many frames. The frame at `x` stays there. */
export function zoomAt(scale: Scale, x: number, factor: number): Scale {
  const at = x / Math.max(1, scale.width);
  const { count } = clamp({ ...scale, count: scale.count * factor });
  return clamp({ ...scale, count, first: scale.first + at * (scale.count - count) });
}

export function pan(scale: Scale, frames: number): Scale {
  return clamp({ ...scale, first: scale.first + frames });
}

/** Returns a scale in which `frame` is visible: the same scale if it is already. */
export function reveal(scale: Scale, frame: number): Scale {
  if (frame >= scale.first && frame + 1 <= scale.first + scale.count) return scale;
  const lead = frame < scale.first ? 0.9 : 0.1; // most of the space is for the frames ahead
  return clamp({ ...scale, first: frame - scale.count * lead });
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

/** Returns the frames that get a number, far enough apart that numbers do not touch. */
export function ticks(scale: Scale, apart = 64): number[] {
  const step = STEPS.find((frames) => frames * cellWidth(scale) >= apart) ?? 20_000;
  const result: number[] = [];
  const last = Math.min(scale.total - 1, scale.first + scale.count);
  for (let frame = Math.ceil(scale.first / step) * step; frame <= last; frame += step) result.push(frame);
  return result;
}
