/** Draws scribbles: waiting ones, those that a round has used, and the stroke that is being drawn. */
import type { Point } from "../protocol";
import { fromUnit, type Size, toCanvas, type View } from "./view";

export interface DrawnScribble {
  path: readonly Point[];
  color: string; // colour of the object
  background: boolean;
  /** used: a round has used it. theirs: another person's waiting scribble. marked: the eraser is over it. */
  kind: "waiting" | "used" | "theirs" | "marked";
  /** A click is shown as a plus or minus sign at its point, a box by its corners. */
  prompt?: { kind: "click" | "box"; positive: boolean };
  author?: string;
}

const BACKGROUND = "#ffffff";
const ERASING = "#ff6b6b";

export function drawScribble(
  context: CanvasRenderingContext2D,
  scribble: DrawnScribble,
  view: View,
  frame: Size,
  width: number,
): void {
  const points = scribble.path.map((point) => toCanvas(view, fromUnit(point, frame)));
  const first = points[0];
  if (!first) return;
  if (scribble.prompt) {
    drawPrompt(context, scribble, scribble.prompt, points);
    return;
  }
  const used = scribble.kind === "used";
  context.save();
  context.lineCap = context.lineJoin = "round";
  context.globalAlpha = used ? 0.6 : 1;
  const line = new Path2D();
  line.moveTo(first.x, first.y);
  // A click gives a scribble of one point. A line from the point to itself shows it as a dot.
  for (const point of points.length > 1 ? points.slice(1) : points) line.lineTo(point.x, point.y);
  const body = used ? Math.max(2, width * 0.6) : width;
  context.lineWidth = body + 2.5;
  context.strokeStyle = "#000000b0";
  context.stroke(line);
  context.lineWidth = body;
  context.strokeStyle =
    scribble.kind === "marked" ? ERASING : scribble.background ? "#30343c" : scribble.color;
  context.stroke(line);
  context.lineWidth = Math.max(1, body * 0.3);
  context.strokeStyle = BACKGROUND;
  if (scribble.background) context.setLineDash([body * 1.2, body * 1.2]);
  context.stroke(line);
  context.restore();
  if (scribble.author) drawName(context, scribble.author, first.x, first.y - width - 6);
}

function drawPrompt(
  context: CanvasRenderingContext2D,
  scribble: DrawnScribble,
  { kind, positive }: { kind: "click" | "box"; positive: boolean },
  points: readonly { x: number; y: number }[],
): void {
  const [a, b] = [points[0], points[1]];
  if (!a) return;
  const color = scribble.kind === "marked" ? ERASING : scribble.color;
  context.save();
  context.globalAlpha = scribble.kind === "used" ? 0.6 : 1;
  if (kind === "box" && b) drawBox(context, a, b, color);
  else drawSign(context, a, positive, color);
  context.restore();
  if (scribble.author) drawName(context, scribble.author, a.x, a.y - 14);
}

export function drawBox(
  context: CanvasRenderingContext2D,
  a: { x: number; y: number },
  b: { x: number; y: number },
  color: string,
): void {
  for (const [width, style] of [
    [4, "#000000b0"],
    [2, color],
  ] as const) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.strokeRect(Math.min(a.x, b.x), Math.min(a.y, b.y), Math.abs(b.x - a.x), Math.abs(b.y - a.y));
  }
}

const SIGN = 9; // radius of a click's mark in CSS pixels

/** Draws a plus in the object's colour, or a minus on dark, so that the two differ without colour too. */
function drawSign(
  context: CanvasRenderingContext2D,
  at: { x: number; y: number },
  positive: boolean,
  color: string,
): void {
  context.beginPath();
  context.arc(at.x, at.y, SIGN, 0, 2 * Math.PI);
  context.fillStyle = positive ? color : "#30343c";
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = positive ? "#000000b0" : color;
  context.stroke();
  context.lineWidth = 2;
  context.strokeStyle = positive ? "#000000" : "#ffffff";
  context.beginPath();
  context.moveTo(at.x - 5, at.y);
  context.lineTo(at.x + 5, at.y);
  if (positive) {
    context.moveTo(at.x, at.y - 5);
    context.lineTo(at.x, at.y + 5);
  }
  context.stroke();
}

function drawName(context: CanvasRenderingContext2D, name: string, x: number, y: number): void {
  context.save();
  context.font = "600 11px Inter, system-ui, sans-serif";
  const { width } = context.measureText(name);
  context.fillStyle = "#0e1013d0";
  context.beginPath();
  context.roundRect(x - 4, y - 12, width + 8, 16, 4);
  context.fill();
  context.fillStyle = "#e6e9ee";
  context.fillText(name, x, y);
  context.restore();
}

/** Returns the distance of a point to a path, both in canvas pixels. */
export function distanceTo(at: { x: number; y: number }, path: readonly { x: number; y: number }[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < path.length; i++) {
    const a = path[i] as { x: number; y: number };
    const b = path[i + 1] ?? a;
    const [dx, dy] = [b.x - a.x, b.y - a.y];
    const length = dx * dx + dy * dy;
    const t = length === 0 ? 0 : Math.max(0, Math.min(1, ((at.x - a.x) * dx + (at.y - a.y) * dy) / length));
    least = Math.min(least, Math.hypot(at.x - a.x - t * dx, at.y - a.y - t * dy));
  }
  return least;
}
