/**
 * Draws the timeline. Long videos are drawn per pixel column, so the cost depends on the width and not on the length.
 */
import { type Lane, NO_MASK, NOT_LOADED, NOTHING_THERE, type Range, type TimelineModel } from "./model";
import { cellWidth, frameAt, isWhole, type Scale, ticks, xOf } from "./scale";

export const HEIGHT = 96;
const RULER = 11; // y of the bottom of the numbers
const TRUTH = 14;
const BARS = { top: 18, base: 43 };
const DIAMONDS = 49;
const LANES = { top: 56, bottom: 82, pitch: 10, most: 13 };
const REACHED = 85;
const ACCEPTED = 91;

export interface Palette {
  track: string;
  bar: string;
  faint: string;
  text: string;
  accent: string;
  warn: string;
  bad: string;
  ok: string;
  mark: string;
  font: string;
}

/** Colours of tokens.css, because a canvas cannot use CSS variables. */
export function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  return {
    track: token("--ink-3"),
    bar: token("--line-strong"),
    faint: token("--text-3"),
    text: token("--text"),
    accent: token("--accent"),
    warn: token("--warn"),
    bad: token("--bad"),
    ok: token("--ok"),
    mark: token("--text-2"),
    font: `10px ${token("--mono")}`,
  };
}

type Context = CanvasRenderingContext2D;

export function drawTimeline(context: Context, scale: Scale, model: TimelineModel, colors: Palette): void {
  context.clearRect(0, 0, scale.width, HEIGHT);
  if (!model.frames) return;
  drawRuler(context, scale, colors);
  drawRanges(context, scale, model.truth, TRUTH, 2, colors.faint);
  drawBars(context, scale, model, colors);
  drawLanes(context, scale, model.lanes);
  drawRanges(context, scale, [[0, model.frames - 1]], REACHED, 3, colors.track);
  drawRanges(context, scale, model.reached, REACHED, 3, model.running ? colors.accent : colors.faint);
  drawRanges(context, scale, model.accepted, ACCEPTED, 3, colors.ok);
  drawDiamonds(context, scale, model.waiting, colors.text, false);
  drawDiamonds(context, scale, model.drawn, colors.text, true);
  if (!isWhole(scale)) drawWindow(context, scale, colors);
}

function drawRuler(context: Context, scale: Scale, colors: Palette): void {
  context.font = colors.font;
  context.textBaseline = "alphabetic";
  context.fillStyle = colors.faint;
  for (const frame of ticks(scale)) {
    const x = xOf(scale, frame) + cellWidth(scale) / 2;
    const text = String(frame);
    const wide = context.measureText(text).width;
    const left = Math.min(scale.width - wide, Math.max(0, x - wide / 2));
    context.fillText(text, left, RULER - 2);
  }
}

/**
 * The height of a bar grows with confidence; a frame without objects gets a stub. Confidence is squared, because it is
 * mostly between 80 and 100 %, where differences should be visible.
 */
export function barHeight(sure: number): number {
  const full = BARS.base - BARS.top;
  if (sure === NO_MASK) return 1;
  if (sure === NOT_LOADED || sure === NOTHING_THERE) return 4;
  return 4 + Math.max(0, Math.min(1, sure)) ** 2 * (full - 4);
}

/** `low`, `middling` and `good` are for bars of J&F; the others are for confidence. */
type Tone = "plain" | "fix" | "low" | "middling" | "good";
const TONES: readonly Tone[] = ["plain", "fix", "good", "middling", "low"];

interface Bar {
  x: number;
  width: number;
  height: number;
  tone: Tone;
}

function toneOf(model: TimelineModel, frame: number): Tone {
  const score = model.scores?.[frame];
  if (score === undefined) return model.fix[frame] === 1 ? "fix" : "plain";
  if (score < 0) return "plain";
  return score < 0.5 ? "low" : score < 0.75 ? "middling" : "good";
}

function heightOf(model: TimelineModel, frame: number): number {
  const score = model.scores?.[frame];
  if (score === undefined) return barHeight(model.sure[frame] as number);
  return score < 0 ? 1 : 4 + score * (BARS.base - BARS.top - 4);
}

/**
 * Draws a bar for each frame; if frames are narrower than a pixel, a bar per pixel, of the frame that most needs
 * attention.
 */
export function bars(scale: Scale, model: TimelineModel): Bar[] {
  const width = cellWidth(scale);
  const result: Bar[] = [];
  if (width >= 1.5) {
    const gap = width >= 3 ? 1 : 0;
    const last = frameAt(scale, scale.width - 0.01);
    for (let frame = frameAt(scale, 0); frame <= last; frame += 1) {
      const height = heightOf(model, frame);
      result.push({ x: xOf(scale, frame), width: width - gap, height, tone: toneOf(model, frame) });
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
  let least = Number.POSITIVE_INFINITY;
  let worst = -1;
  for (let frame = from; frame <= to; frame += 1) {
    const rank = TONES.indexOf(toneOf(model, frame));
    const height = heightOf(model, frame);
    if (rank > worst || (rank === worst && height < least)) least = height;
    worst = Math.max(worst, rank);
  }
  return { x, width: 1, height: least, tone: TONES[worst] ?? "plain" };
}

function drawBars(context: Context, scale: Scale, model: TimelineModel, colors: Palette): void {
  const all = bars(scale, model);
  const fills = {
    plain: colors.bar,
    fix: colors.warn,
    low: colors.bad,
    middling: colors.warn,
    good: colors.ok,
  };
  for (const tone of TONES) {
    context.fillStyle = fills[tone];
    // Single rectangles, because one path with a thousand rectangles takes a hundred times as long.
    for (const bar of all)
      if (bar.tone === tone) context.fillRect(bar.x, BARS.base - bar.height, bar.width, bar.height);
  }
}

/** Returns the lanes that fit, always including the one of the selected object. */
export function shownLanes(lanes: readonly Lane[]): Lane[] {
  if (lanes.length <= LANES.most) return [...lanes];
  const first = lanes.slice(0, LANES.most);
  const selected = lanes.find((lane) => lane.selected);
  return !selected || first.includes(selected) ? first : [...first.slice(0, -1), selected];
}

function drawLanes(context: Context, scale: Scale, lanes: readonly Lane[]): void {
  const shown = shownLanes(lanes);
  const pitch = Math.min(LANES.pitch, (LANES.bottom - LANES.top) / Math.max(1, shown.length));
  const height = pitch > 4 ? pitch - 3 : Math.max(1, pitch - 0.5);
  shown.forEach((lane, index) => {
    context.globalAlpha = lane.hidden ? 0.25 : lane.selected ? 1 : 0.7;
    drawRanges(context, scale, lane.ranges, LANES.top + index * pitch, height, lane.color);
  });
  context.globalAlpha = 1;
}

/** Returns the left and right edges of the visible ranges, in pixels. Ranges that touch on screen are merged. */
export function strips(scale: Scale, ranges: readonly Range[]): [left: number, right: number][] {
  const result: [number, number][] = [];
  for (const [first, last] of ranges) {
    const left = Math.max(0, xOf(scale, first));
    const right = Math.min(scale.width, Math.max(xOf(scale, last + 1), left + 1));
    if (right <= 0 || left >= scale.width) continue;
    const before = result.at(-1);
    if (before && left - before[1] < 0.5) before[1] = right;
    else result.push([left, right]);
  }
  return result;
}

function drawRanges(
  context: Context,
  scale: Scale,
  ranges: readonly Range[],
  y: number,
  height: number,
  color: string,
): void {
  context.fillStyle = color;
  for (const [left, right] of strips(scale, ranges)) {
    const width = right - left;
    if (width <= height) {
      context.fillRect(left, y, width, height);
      continue;
    }
    context.beginPath();
    context.roundRect(left, y, width, height, height / 2);
    context.fill();
  }
}

function drawDiamonds(
  context: Context,
  scale: Scale,
  frames: readonly number[],
  color: string,
  filled: boolean,
): void {
  const r = 4.5;
  context.beginPath();
  for (const frame of frames) {
    const middle = xOf(scale, frame) + cellWidth(scale) / 2;
    if (middle < 0 || middle > scale.width) continue;
    const x = Math.min(scale.width - r, Math.max(r, middle)); // not cut off at the ends
    context.moveTo(x, DIAMONDS - r);
    context.lineTo(x + r, DIAMONDS);
    context.lineTo(x, DIAMONDS + r);
    context.lineTo(x - r, DIAMONDS);
    context.closePath();
  }
  context.fillStyle = context.strokeStyle = color;
  context.lineWidth = 1.2;
  if (filled) context.fill();
  else context.stroke();
}

/** Draws which part of the video is shown, if it is not all of it. */
function drawWindow(context: Context, scale: Scale, colors: Palette): void {
  const left = (scale.first / scale.total) * scale.width;
  const width = Math.max(8, (scale.count / scale.total) * scale.width);
  context.fillStyle = colors.mark;
  context.fillRect(Math.min(left, scale.width - width), HEIGHT - 1, width, 1);
}

export interface Viewpoint {
  frame: number;
  color: string;
}

/** Draws the upper layer: the playhead, the frame under the pointer, and other people. It is drawn on every step. */
export function drawPlayhead(
  context: Context,
  scale: Scale,
  frame: number,
  hover: number | null,
  others: readonly Viewpoint[],
  colors: Palette,
): void {
  context.clearRect(0, 0, scale.width, HEIGHT);
  const cell = cellWidth(scale);
  for (const other of others) {
    const x = xOf(scale, other.frame) + cell / 2;
    context.fillStyle = other.color;
    context.globalAlpha = 0.4;
    context.fillRect(x - 0.5, RULER, 1, HEIGHT - RULER);
    context.globalAlpha = 1;
    context.beginPath();
    context.arc(x, RULER + 2, 3.5, 0, Math.PI * 2);
    context.fill();
  }
  if (hover !== null && hover !== frame) {
    context.fillStyle = "#ffffff14";
    context.fillRect(xOf(scale, hover), RULER, Math.max(1, cell), HEIGHT - RULER);
  }
  const x = xOf(scale, frame);
  context.fillStyle = "#ffffff22";
  context.fillRect(x, RULER, cell, HEIGHT - RULER);
  context.fillStyle = colors.text;
  context.fillRect(Math.round(x + cell / 2) - 0.5, RULER, 1.5, HEIGHT - RULER);
}
