/** A round magnifier beside the cursor, which shows the pixels below it. */
import { type CanvasPoint, type Size, scaleAcross, toFrame, type View } from "./view";

const RADIUS = 72; // CSS pixels
const AWAY = 28; // CSS pixels between the cursor and the glass
const TIMES = 4; // how much larger than on the stage
const SMALLEST_SCALE = 8; // CSS pixels per pixel of the frame, at least

interface Layers {
  frame: HTMLCanvasElement;
  mask: HTMLCanvasElement;
}

/** `maskOnly`: the mode shows masks without the frame. */
export function drawMagnifier(
  context: CanvasRenderingContext2D,
  layers: Layers,
  maskOnly: boolean,
  at: CanvasPoint,
  view: View,
  stage: Size,
): void {
  const scale = Math.max(SMALLEST_SCALE, view.scale * TIMES);
  const { x, y } = toFrame(view, at);
  // The glass stands at the upper right of the cursor, and on the other side near the edges of the stage.
  const cx = at.x + AWAY + 2 * RADIUS > stage.width ? at.x - AWAY - RADIUS : at.x + AWAY + RADIUS;
  const cy = at.y - AWAY - 2 * RADIUS < 0 ? at.y + AWAY + RADIUS : at.y - AWAY - RADIUS;
  context.save();
  context.beginPath();
  context.arc(cx, cy, RADIUS, 0, 2 * Math.PI);
  context.fillStyle = "#000000";
  context.fill();
  context.save();
  context.clip();
  context.imageSmoothingEnabled = false;
  const across = scaleAcross({ ...view, scale });
  context.translate(cx - x * across, cy - y * scale);
  context.scale(across, scale);
  context.filter = getComputedStyle(layers.frame).filter; // brightness and contrast as on the stage
  if (!maskOnly) context.drawImage(layers.frame, 0, 0);
  context.filter = "none";
  if (getComputedStyle(layers.mask).visibility !== "hidden") context.drawImage(layers.mask, 0, 0);
  context.restore();
  for (const [width, style] of [
    [4, "#000000c0"],
    [1.5, "#ffffff"],
  ] as const) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.beginPath();
    context.arc(cx, cy, RADIUS, 0, 2 * Math.PI);
    context.moveTo(cx - 6, cy);
    context.lineTo(cx + 6, cy);
    context.moveTo(cx, cy - 6);
    context.lineTo(cx, cy + 6);
    context.stroke();
  }
  context.restore();
}
