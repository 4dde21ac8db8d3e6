/**
 * Draws the timeline. Long videos are drawn per pixel column, so the cost depends on the width and not on the length.
 */
import { bars } from "./bars";
import { LANE, type Layout } from "./layout";
import type { Lane, Range, TimelineModel } from "./model";
import { drawOutside } from "./outside";
import { drawPinMarks } from "./pinMarks";
import { cellWidth, isWhole, type Scale, ticks, xOf } from "./scale";
import { strips } from "./strips";

export interface Palette {
  track: string;
  faint: string;
  text: string;
  accent: string;
  bad: string;
  ok: string;
  mark: string;
  ring: string;
  ground: string;
  /** Colours of confidence, from none to sure. */
  heat: readonly string[];
  font: string;
}

const HEATS = 24;

/** Colours of tokens.css, because a canvas cannot use CSS variables. Call it again when the theme has changed. */
export function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  return {
    track: token("--ink-3"),
    faint: token("--text-3"),
    text: token("--text"),
    accent: token("--accent"),
    bad: token("--bad"),
    ok: token("--ok"),
    mark: token("--text-2"),
    ring: token("--ring"),
    ground: token("--ink-1"),
    heat: heatsOf(token("--heat-low"), token("--heat-middle"), token("--heat-high")),
    font: `10px ${token("--mono")}`,
  };
}

/** Returns HEATS colours between three colours in the form #rrggbb. */
export function heatsOf(low: string, middle: string, high: string): string[] {
  return Array.from({ length: HEATS }, (_, index) => {
    const part = (2 * index) / (HEATS - 1);
    return part < 1 ? mix(low, middle, part) : mix(middle, high, part - 1);
  });
}

function mix(from: string, to: string, part: number): string {
  const channel = (color: string, at: number) => Number.parseInt(color.slice(at, at + 2), 16) || 0;
  const values = [1, 3, 5].map((at) =>
    Math.round(channel(from, at) + part * (channel(to, at) - channel(from, at))),
  );
  return `rgb(${values.join(" ")})`;
}

type Context = CanvasRenderingContext2D;

/** Draws everything but the playhead. `offset` is how far the lanes are scrolled, in pixels. */
export function drawTimeline(
  context: Context,
  scale: Scale,
  layout: Layout,
  model: TimelineModel,
  offset: number,
  colors: Palette,
): void {
  context.clearRect(0, 0, scale.width, layout.height);
  if (!model.frames) return;
  drawRuler(context, scale, layout, colors);
  drawRanges(context, scale, model.truth, layout.bars.top - 2, 1.5, colors.faint);
  drawBars(context, scale, layout, model, colors);
  drawRanges(context, scale, model.accepted, layout.accepted, 3, colors.ok);
  drawLanes(context, scale, layout, model, offset, colors);
  drawReached(context, scale, layout, model, colors);
  drawCuts(context, scale, layout, model.cuts, colors);
  drawOutside(context, scale, layout, model.outside, colors);
  drawMarks(context, scale, layout, model, colors);
  drawPinMarks(context, scale, layout, model.pins, colors);
  if (!isWhole(scale)) drawWindow(context, scale, layout, colors);
}

function drawRuler(context: Context, scale: Scale, layout: Layout, colors: Palette): void {
  context.font = colors.font;
  context.textBaseline = "alphabetic";
  context.fillStyle = colors.faint;
  for (const frame of ticks(scale)) {
    const x = xOf(scale, frame) + cellWidth(scale) / 2;
    const text = String(frame);
    const wide = context.measureText(text).width;
    const left = Math.min(scale.width - wide, Math.max(0, x - wide / 2));
    context.fillText(text, left, layout.ruler - 3);
  }
}

function drawBars(
  context: Context,
  scale: Scale,
  layout: Layout,
  model: TimelineModel,
  colors: Palette,
): void {
  const { top, base } = layout.bars;
  // Single rectangles, because one path with a thousand rectangles takes a hundred times as long.
  for (const bar of bars(scale, model)) {
    const height = Math.max(1, bar.height * (base - top));
    context.fillStyle =
      bar.heat === null
        ? colors.track
        : (colors.heat[Math.round(bar.heat * (colors.heat.length - 1))] as string);
    context.fillRect(bar.x, base - height, bar.width, height);
  }
}

const BAND = 8; // the height of what a lane shows

function drawLanes(
  context: Context,
  scale: Scale,
  layout: Layout,
  model: TimelineModel,
  offset: number,
  colors: Palette,
): void {
  const { top, bottom } = layout.lanes;
  context.save();
  context.beginPath();
  context.rect(0, top, scale.width, bottom - top);
  context.clip();
  model.lanes.forEach((lane, index) => {
    const y = top + index * LANE - offset;
    if (y + LANE < top || y > bottom) return;
    if (lane.selected) {
      context.fillStyle = colors.track;
      context.fillRect(0, y, scale.width, LANE);
    }
    drawLane(context, scale, lane, y + (LANE - BAND) / 2, colors);
  });
  context.restore();
}

/** Draws one lane; `y` is the top of its band. */
function drawLane(context: Context, scale: Scale, lane: Lane, y: number, colors: Palette): void {
  context.globalAlpha = lane.hidden ? 0.15 : 0.5;
  drawRanges(context, scale, lane.ranges, y, BAND, lane.color);
  context.globalAlpha = lane.hidden ? 0.3 : 1;
  drawRanges(context, scale, lane.changed, y, BAND, lane.color);
  drawHatched(context, scale, lane.absent, y, BAND, colors.faint);
  drawRanges(context, scale, lane.lost, y + BAND / 2 - 1, 2, colors.bad);
  // Below the band, what was decided about the object by itself.
  drawRanges(context, scale, lane.accepted, y + BAND + 1, 2, colors.ok);
  drawRanges(context, scale, lane.rejected, y + BAND + 1, 2, colors.bad);
  context.globalAlpha = 1;
  for (const frame of lane.painted) drawSquare(context, middleOf(scale, frame), y + BAND / 2, colors);
  for (const frame of lane.waiting) drawDiamond(context, middleOf(scale, frame), y + BAND / 2, colors, false);
  for (const frame of lane.drawn) drawDiamond(context, middleOf(scale, frame), y + BAND / 2, colors, true);
}

function middleOf(scale: Scale, frame: number): number {
  const middle = xOf(scale, frame) + cellWidth(scale) / 2;
  const inside = middle >= 0 && middle <= scale.width;
  return inside ? Math.min(scale.width - 5, Math.max(5, middle)) : -100; // not cut off at the ends
}

/** A diamond marks a frame that was drawn on: hollow while its scribbles wait for a round. */
function drawDiamond(context: Context, x: number, y: number, colors: Palette, filled: boolean): void {
  const r = 4.5;
  context.beginPath();
  context.moveTo(x, y - r);
  context.lineTo(x + r, y);
  context.lineTo(x, y + r);
  context.lineTo(x - r, y);
  context.closePath();
  context.lineWidth = 1.3;
  context.fillStyle = filled ? colors.text : colors.ground;
  context.strokeStyle = filled ? colors.ground : colors.text;
  context.fill();
  context.stroke();
}

/** A square marks a frame whose mask was painted by hand. */
function drawSquare(context: Context, x: number, y: number, colors: Palette): void {
  context.fillStyle = colors.text;
  context.strokeStyle = colors.ground;
  context.lineWidth = 1.3;
  context.fillRect(x - 3.5, y - 3.5, 7, 7);
  context.strokeRect(x - 3.5, y - 3.5, 7, 7);
}

function drawHatched(
  context: Context,
  scale: Scale,
  ranges: readonly Range[],
  y: number,
  height: number,
  color: string,
): void {
  context.strokeStyle = color;
  context.lineWidth = 1;
  for (const [left, right] of strips(scale, ranges)) {
    context.beginPath();
    context.rect(left + 0.5, y + 0.5, Math.max(1, right - left - 1), height - 1);
    for (let x = left + 3; x < right; x += 5) {
      context.moveTo(x, y + height - 1);
      context.lineTo(Math.min(right, x + 5), y + 1);
    }
    context.stroke();
  }
}

/** Draws what the round has reached, with an arrow at each end that a propagation moved to. */
function drawReached(
  context: Context,
  scale: Scale,
  layout: Layout,
  model: TimelineModel,
  colors: Palette,
): void {
  const color = model.running ? colors.accent : colors.faint;
  drawRanges(context, scale, [[0, model.frames - 1]], layout.reached, 3, colors.track);
  drawRanges(context, scale, model.reached, layout.reached, 3, color);
  context.fillStyle = color;
  const y = layout.reached + 1.5;
  for (const [left, right] of strips(scale, model.reached)) {
    if (right - left < 14) continue;
    arrow(context, right, y, -6);
    arrow(context, left, y, 6);
  }
}

function arrow(context: Context, x: number, y: number, back: number): void {
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + back, y - 4.5);
  context.lineTo(x + back, y + 4.5);
  context.fill();
}

/** The height of the handle of a scene cut, below the numbers. */
export const CUT_HANDLE = 8;

function drawCuts(
  context: Context,
  scale: Scale,
  layout: Layout,
  cuts: readonly number[],
  colors: Palette,
): void {
  context.strokeStyle = colors.mark;
  context.lineWidth = 1;
  context.setLineDash([3, 3]);
  context.beginPath();
  for (const frame of cuts) {
    const x = Math.round(xOf(scale, frame)) + 0.5;
    context.moveTo(x, layout.ruler);
    context.lineTo(x, layout.height);
  }
  context.stroke();
  context.setLineDash([]);
  context.fillStyle = colors.mark;
  for (const frame of cuts) {
    const x = Math.round(xOf(scale, frame)) + 0.5;
    context.beginPath();
    context.moveTo(x - 4.5, layout.ruler);
    context.lineTo(x + 4.5, layout.ruler);
    context.lineTo(x, layout.ruler + CUT_HANDLE);
    context.fill();
  }
}

/** Draws the selected span, and the in and out points of the next round as brackets with what is outside dimmed. */
function drawMarks(
  context: Context,
  scale: Scale,
  layout: Layout,
  model: TimelineModel,
  colors: Palette,
): void {
  const { selection, scope } = model;
  const bottom = layout.height;
  if (scope) {
    const [left, right] = [xOf(scale, scope[0]), xOf(scale, scope[1] + 1)];
    context.fillStyle = colors.ground;
    context.globalAlpha = 0.6;
    context.fillRect(0, layout.ruler, Math.max(0, left), bottom);
    context.fillRect(right, layout.ruler, Math.max(0, scale.width - right), bottom);
    context.globalAlpha = 1;
    context.strokeStyle = colors.text;
    context.lineWidth = 2;
    context.beginPath();
    for (const [x, turn] of [
      [left + 1, 5],
      [right - 1, -5],
    ] as const) {
      context.moveTo(x + turn, layout.ruler - 1);
      context.lineTo(x, layout.ruler - 1);
      context.lineTo(x, layout.ruler + 10);
    }
    context.stroke();
  }
  if (selection) {
    const [left, right] = [xOf(scale, selection[0]), xOf(scale, selection[1] + 1)];
    context.fillStyle = colors.ring;
    context.globalAlpha = 0.18;
    context.fillRect(left, layout.ruler, right - left, bottom - layout.ruler);
    context.globalAlpha = 1;
    context.fillRect(left, layout.ruler, 1.5, bottom - layout.ruler);
    context.fillRect(right - 1.5, layout.ruler, 1.5, bottom - layout.ruler);
  }
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
    context.roundRect(left, y, width, height, Math.min(3, height / 2));
    context.fill();
  }
}

/** Draws which part of the video is shown, if it is not all of it. */
function drawWindow(context: Context, scale: Scale, layout: Layout, colors: Palette): void {
  const left = (scale.first / scale.total) * scale.width;
  const width = Math.max(8, (scale.count / scale.total) * scale.width);
  context.fillStyle = colors.mark;
  context.fillRect(Math.min(left, scale.width - width), layout.height - 1, width, 1);
}

export interface Viewpoint {
  frame: number;
  color: string;
}

/** Draws the upper layer: the playhead, the frame under the pointer, and other people. It is drawn on every step. */
export function drawPlayhead(
  context: Context,
  scale: Scale,
  layout: Layout,
  frame: number,
  hover: number | null,
  others: readonly Viewpoint[],
  colors: Palette,
): void {
  const { ruler, height } = layout;
  context.clearRect(0, 0, scale.width, height);
  const cell = cellWidth(scale);
  for (const other of others) {
    const x = xOf(scale, other.frame) + cell / 2;
    context.fillStyle = other.color;
    context.globalAlpha = 0.4;
    context.fillRect(x - 0.5, ruler, 1, height - ruler);
    context.globalAlpha = 1;
    context.beginPath();
    context.arc(x, ruler + 2, 3.5, 0, Math.PI * 2);
    context.fill();
  }
  context.fillStyle = colors.ring;
  if (hover !== null && hover !== frame) {
    context.globalAlpha = 0.1;
    context.fillRect(xOf(scale, hover), ruler, Math.max(1, cell), height - ruler);
  }
  const x = xOf(scale, frame);
  context.globalAlpha = 0.16;
  context.fillRect(x, ruler, cell, height - ruler);
  context.globalAlpha = 1;
  context.fillStyle = colors.text;
  context.fillRect(Math.round(x + cell / 2) - 0.5, ruler, 1.5, height - ruler);
}
