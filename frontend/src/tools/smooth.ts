/** Smooths the contour of the selected object below the brush. */
import { Waves } from "lucide-preact";
import { emptyBitmap } from "../masks/bitmap";
import { BrushStroke } from "../masks/brush";
import { smoothInto } from "../masks/smooth";
import { dabAt } from "./brush";
import { Painter } from "./painter";
import type { Tool } from "./tool";

// The contour is evened out over a quarter of the brush: details of that size go, larger shapes stay.
const REACH = 0.25;
const MOST_REACH = 12; // pixels; a larger reach would smooth no better, and take long

export const smooth: Tool = {
  name: "smooth",
  title: "Smooth the contour",
  icon: Waves,
  keys: ["Shift+S"],
  cursor: "crosshair",
  draws: true,
  hint: "Rub along the contour",
  paints: true,
  ring: "brush",
  press: (studio, pointer, at) => {
    const painter = Painter.begin(studio, pointer);
    if (!painter) return null;
    const { pixels } = painter;
    const source = painter.copy();
    const below = emptyBitmap(pixels.width, pixels.height); // the pixels that the stroke has covered
    const stroke = new BrushStroke(below, 1, 1);
    const smoothed = painter.copy();
    const apply = (sample: typeof at): void => {
      const dab = dabAt(studio, sample);
      const box = stroke.to(dab);
      smoothInto(smoothed, source, box, Math.min(MOST_REACH, Math.max(1.5, dab.radius * REACH)));
      for (let y = box.y; y < box.y + box.h; y++)
        for (let pixel = y * below.width + box.x; pixel < y * below.width + box.x + box.w; pixel++)
          if (below.bits[pixel] === 1) pixels.bits[pixel] = smoothed.bits[pixel] as number;
    };
    apply(at);
    painter.show();
    return {
      move: (points) => {
        for (const point of points) apply(point);
        painter.show();
      },
      end: () => painter.take("smoothing"),
      cancel: () => painter.cancel(),
    };
  },
};
