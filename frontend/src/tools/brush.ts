/** Paints pixels of the selected object; with the right button or Alt it takes them away. */
import { Brush } from "lucide-preact";
import { toFrame } from "../canvas/view";
import { BrushStroke, type Dab } from "../masks/brush";
import type { Studio } from "../studio/studio";
import { Painter } from "./painter";
import { sayOutside } from "./picture";
import type { PointerState } from "./pointerState";
import type { Gesture, PointerSample, Tool } from "./tool";

// A pen that hardly touches still paints a quarter of the size, so that thin lines are possible and none is lost.
const LIGHTEST = 0.25;

export const brush: Tool = {
  name: "brush",
  title: "Paint the mask",
  icon: Brush,
  keys: ["B"],
  cursor: "crosshair",
  draws: true,
  hint: "Right button or Alt: take away · Shift: straight line",
  paints: true,
  ring: "brush",
  press: (studio, pointer, at) => beginStroke(studio, pointer, at, 1),
  pressAlternative: (studio, pointer, at) => beginStroke(studio, pointer, at, 0),
};

/** Where the last stroke ended: pressing with Shift draws a straight line from there. */
let lastEnd: { studio: Studio; frame: number; at: Dab } | null = null;

/** Begins a stroke that adds pixels (1) or takes them away (0). */
export function beginStroke(
  studio: Studio,
  pointer: PointerState,
  at: PointerSample,
  value: 0 | 1,
): Gesture | null {
  const painter = Painter.begin(studio, pointer);
  if (!painter) return null;
  const { hardness } = studio.store.view.peek();
  const begin = () => new BrushStroke(painter.pixels, value, hardness / 100);
  const start = dabAt(studio, at);
  const joined = lastEnd?.studio === studio && lastEnd.frame === painter.frame ? lastEnd.at : null;
  const from = at.shift && joined ? joined : start;
  let stroke = begin();
  let end = start;
  let inside = false;
  const cover = (to: Dab): void => {
    inside = stroke.to(to).w > 0 || inside;
  };
  /** Draws only a straight line, in place of all that this stroke has drawn. */
  const straight = (to: Dab): void => {
    painter.reset();
    stroke = begin();
    cover({ ...from, radius: to.radius });
    cover(to);
  };
  if (at.shift) straight(start);
  else cover(start);
  painter.show();
  return {
    move: (points) => {
      for (const point of points) {
        end = dabAt(studio, point);
        if (point.shift) straight(end);
        else cover(end);
      }
      painter.show();
    },
    end: () => {
      if (!inside) sayOutside();
      lastEnd = { studio, frame: painter.frame, at: end };
      painter.take(value === 1 ? "painting" : "erasing");
    },
    cancel: () => painter.cancel(),
  };
}

/** Returns the brush at a position: its size follows the pressure of a pen. */
export function dabAt(studio: Studio, at: PointerSample): Dab {
  const { x, y } = toFrame(studio.stage.view.peek(), at);
  const size = studio.store.view.peek().paintSize;
  return { x, y, radius: (size / 2) * (LIGHTEST + (1 - LIGHTEST) * at.pressure) };
}
