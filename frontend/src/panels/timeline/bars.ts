/** The bars of confidence, or of J&F: their heights, and their place in the colours of heat. */
import { SURE as ENOUGH } from "../../state/suggest";
import { NO_MASK, NOT_LOADED, NOTHING_THERE, type TimelineModel } from "./model";
import { cellWidth, frameAt, type Scale, xOf } from "./scale";

// Confidence, the overlap (J) that an engine expects, is mostly in this range, so it fills the height. What is outside is as
// low as the lowest, or as high as the highest.
const UNSURE = 0.6;
const SURE = 0.92;

/** Returns the height of a bar as a part of the row, 0..1. A frame without objects gets a stub. */
export function barHeight(sure: number): number {
  if (sure === NO_MASK) return 0.04;
  if (sure === NOT_LOADED || sure === NOTHING_THERE) return 0.12;
  return 0.12 + 0.88 * Math.max(0, Math.min(1, (sure - UNSURE) / (SURE - UNSURE)));
}

/** Returns the place of a confidence in the colours of heat, 0 (none) to 1 (sure), or null for no confidence. */
export function heatOf(sure: number): number | null {
  if (sure < 0) return null;
  // Half of the colours are for what needs a fix.
  return sure < ENOUGH ? (0.5 * sure) / ENOUGH : 0.5 + 0.5 * Math.min(1, (sure - ENOUGH) / (SURE - ENOUGH));
}

/** Returns the heat of J&F: below 0.5 is as bad as it gets, 0.9 and more is good. */
function heatOfScore(score: number): number | null {
  return score < 0 ? null : Math.max(0, Math.min(1, (score - 0.5) / 0.4));
}

export interface Bar {
  x: number;
  width: number;
  /** The part of the row's height, 0..1. */
  height: number;
  heat: number | null;
}

function barOf(model: TimelineModel, frame: number): { height: number; heat: number | null } {
  const score = model.scores?.[frame];
  if (score !== undefined)
    return { height: score < 0 ? 0.04 : Math.max(0.12, score), heat: heatOfScore(score) };
  const sure = model.sure[frame] as number;
  const heat = heatOf(sure);
  // What a person has accepted needs no look any more.
  return {
    height: barHeight(sure),
    heat: heat === null || model.fix[frame] === 1 ? heat : Math.max(heat, 0.75),
  };
}

/**
 * Returns a bar for each frame; if frames are narrower than a pixel, a bar per pixel, of the frame that most needs
 * attention.
 */
export function bars(scale: Scale, model: TimelineModel): Bar[] {
  const width = cellWidth(scale);
  const result: Bar[] = [];
  if (width >= 1.5) {
    const gap = width >= 5 ? 1 : 0;
    const last = frameAt(scale, scale.width - 0.01);
    // Bars begin and end at whole pixels: those between would be faint, and a row of them looks striped.
    for (let frame = frameAt(scale, 0); frame <= last; frame += 1) {
      const x = Math.round(xOf(scale, frame));
      const end = Math.round(xOf(scale, frame + 1)) - gap;
      result.push({ x, width: Math.max(1, end - x), ...barOf(model, frame) });
    }
    return result;
  }
  for (let x = 0; x < scale.width; x += 1) result.push(column(scale, model, x));
  return result;
}

function column(scale: Scale, model: TimelineModel, x: number): Bar {
  const from = frameAt(scale, x);
  const edge = scale.first + ((x + 1) / scale.width) * scale.count;
  const to = Math.min(scale.total - 1, Math.max(from, Math.ceil(edge) - 1));
  let worst = barOf(model, from);
  for (let frame = from + 1; frame <= to; frame += 1) {
    const bar = barOf(model, frame);
    if ((bar.heat ?? 2) < (worst.heat ?? 2)) worst = bar;
  }
  return { x, width: 1, ...worst };
}
