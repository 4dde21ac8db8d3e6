/**
 * Clicks on the selected object; with the right button or Alt, on what is not the object. While Shift is held, hovering
 * shows what a click would give, if the engine answers fast enough.
 */

import { MousePointerClick } from "lucide-preact";
import { objectToDraw } from "../actions/objects";
import { endHover, previewClick } from "../actions/preview";
import { refusal } from "../actions/refusal";
import { run } from "../actions/rounds";
import { addPrompt } from "../actions/scribbles";
import { strokeReleased } from "../canvas/metrics";
import { toFrame, toUnit } from "../canvas/view";
import type { Point } from "../protocol";
import type { Studio } from "../studio/studio";
import { inFrame, sayOutside } from "./picture";
import type { Gesture, PointerSample, Tool } from "./tool";

export const click: Tool = {
  name: "click",
  title: "Click on the object",
  icon: MousePointerClick,
  keys: ["K"],
  cursor: "crosshair",
  draws: true,
  hint: "Right button or Alt: not the object · hover with Shift: what a click would give",
  press: (studio, _pointer, at) => press(studio, at, true),
  pressAlternative: (studio, _pointer, at) => press(studio, at, false),
  hover: (studio, _pointer, at) => {
    const object = studio.store.selected.peek();
    if (at.shift && object !== 0 && inFrame(studio, at))
      previewClick(studio, { object, point: pointAt(studio, at), positive: true });
    else endHover(studio);
  },
};

function press(studio: Studio, at: PointerSample, positive: boolean): Gesture | null {
  const { store } = studio;
  const selected = store.selected.peek();
  if (refusal(studio, selected, "click")) return null;
  if (!inFrame(studio, at)) {
    sayOutside();
    return null;
  }
  const frame = store.frame.peek();
  let end = at;
  return {
    move: (points) => {
      end = points.at(-1) ?? end;
    },
    end: () => {
      const object = objectToDraw(studio, selected);
      addPrompt(studio, frame, object, { kind: "click", points: [pointAt(studio, end)], positive });
      strokeReleased(frame, performance.now(), store.summaries.peek()[frame]?.round ?? null);
      if (store.view.peek().runOnRelease) run(studio, frame);
    },
    cancel: () => {},
  };
}

export function pointAt({ stage }: Studio, at: PointerSample): Point {
  const [x, y] = toUnit(toFrame(stage.view.peek(), at), stage.frameSize);
  return [Math.round(x * 1e5) / 1e5, Math.round(y * 1e5) / 1e5];
}
