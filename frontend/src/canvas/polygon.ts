/** Draws the polygon that is not taken yet: its inside, its edges and its corners. */
import type { Polygon } from "../state/polygon";
import { type CanvasPoint, framePoint, toCanvas, type View } from "./view";

const CORNER = 4; // radius in CSS pixels

/** `hover` is the pointer, to which an open polygon is drawn on. */
export function drawPolygon(
  context: CanvasRenderingContext2D,
  { corners, adds, closed }: Polygon,
  view: View,
  hover: CanvasPoint | null,
  color: string,
): void {
  const points = corners.map(({ x, y }) => toCanvas(view, framePoint(x, y)));
  const line = new Path2D();
  for (const { x, y } of points) line.lineTo(x, y);
  if (closed) line.closePath();
  else if (hover) line.lineTo(hover.x, hover.y);
  context.save();
  context.globalAlpha = 0.25;
  context.fillStyle = adds ? color : "#000000";
  context.fill(line, "evenodd");
  context.globalAlpha = 1;
  for (const [width, style] of [
    [3.5, "#000000b0"],
    [1.5, adds ? color : "#ffffff"],
  ] as const) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.setLineDash(adds || width > 2 ? [] : [5, 4]);
    context.stroke(line);
  }
  context.setLineDash([]);
  points.forEach(({ x, y }, index) => {
    context.beginPath();
    context.arc(x, y, index === 0 && !closed ? CORNER + 2 : CORNER, 0, 2 * Math.PI);
    context.fillStyle = "#ffffff";
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = "#000000";
    context.stroke();
  });
  context.restore();
}
