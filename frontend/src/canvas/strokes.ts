/** Draws strokes: those that wait, those that a round used, and the one being drawn. */
import type { Point } from "../protocol";
import { fromUnit, type Size, toCanvas, type View } from "./view";

export interface DrawnStroke {
  path: readonly Point[];
  color: string; // of its object; background strokes have none of their own
  background: boolean;
  /** used: a round has it. theirs: somebody else's that waits. marked: the eraser is on it. */
  kind: "waiting" | "used" | "theirs" | "marked";
  author?: string;
}

const BACKGROUND = "#ffffff";
const ERASING = "#ff6b6b";

export function drawStroke(
  context: CanvasRenderingContext2D,
  stroke: DrawnStroke,
  view: View,
  frame: Size,
  width: number,
): void {
  const points = stroke.path.map((point) => toCanvas(view, fromUnit(point, frame)));
  const first = points[0];
  if (!first) return;
  const used = stroke.kind === "used";
  context.save();
  context.lineCap = context.lineJoin = "round";
  context.globalAlpha = used ? 0.6 : 1;
  const line = new Path2D();
  line.moveTo(first.x, first.y);
  // A click is a stroke of one point: a line to itself shows as a dot.
  for (const point of points.length > 1 ? points.slice(1) : points) line.lineTo(point.x, point.y);
  const body = used ? Math.max(2, width * 0.6) : width;
  context.lineWidth = body + 2.5;
  context.strokeStyle = "#000000b0";
  context.stroke(line);
  context.lineWidth = body;
  context.strokeStyle = stroke.kind === "marked" ? ERASING : stroke.background ? "#30343c" : stroke.color;
  context.stroke(line);
  context.lineWidth = Math.max(1, body * 0.3);
  context.strokeStyle = BACKGROUND;
  if (stroke.background) context.setLineDash([body * 1.2, body * 1.2]);
  context.stroke(line);
  context.restore();
  if (stroke.author) drawName(context, stroke.author, first.x, first.y - width - 6);
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

/** Distance of a point to a path, both in canvas pixels. */
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
