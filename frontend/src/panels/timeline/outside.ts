/** Draws which frames are outside of the job in hand. */
import type { Layout } from "./layout";
import type { Range } from "./model";
import type { Scale } from "./scale";
import { strips } from "./strips";

/** Dims the frames outside of the job in hand, and hatches them. */
export function drawOutside(
  context: CanvasRenderingContext2D,
  scale: Scale,
  layout: Layout,
  outside: readonly Range[],
  colors: { ground: string; faint: string },
): void {
  const { ruler, height } = layout;
  for (const [left, right] of strips(scale, outside)) {
    context.fillStyle = colors.ground;
    context.globalAlpha = 0.66;
    context.fillRect(left, ruler, right - left, height - ruler);
    context.globalAlpha = 0.3;
    context.strokeStyle = colors.faint;
    context.lineWidth = 1;
    context.save();
    context.beginPath();
    context.rect(left, ruler, right - left, height - ruler);
    context.clip();
    context.beginPath();
    for (let x = left - height; x < right; x += 9) {
      context.moveTo(x, height);
      context.lineTo(x + height - ruler, ruler);
    }
    context.stroke();
    context.restore();
    context.globalAlpha = 1;
  }
}
