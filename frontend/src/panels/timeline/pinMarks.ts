/** Draws where pins are: filled while they are open, hollow once they are resolved. */
import type { Layout } from "./layout";
import { cellWidth, type Scale, xOf } from "./scale";

export interface PinMark {
  frame: number;
  open: boolean;
}

export function drawPinMarks(
  context: CanvasRenderingContext2D,
  scale: Scale,
  layout: Layout,
  pins: readonly PinMark[],
  colors: { bad: string; ok: string; ground: string },
): void {
  const y = layout.ruler + 4;
  for (const { frame, open } of pins) {
    const x = xOf(scale, frame) + cellWidth(scale) / 2;
    if (x < 0 || x > scale.width) continue;
    context.beginPath();
    context.moveTo(x, y + 8);
    context.arc(x, y, 4, Math.PI * 0.75, Math.PI * 0.25);
    context.closePath();
    context.lineWidth = 1.5;
    context.fillStyle = open ? colors.bad : colors.ground;
    context.strokeStyle = open ? colors.ground : colors.ok;
    context.fill();
    context.stroke();
  }
}
