/** Draws a box around the selected object. */

import { BoxSelect } from "lucide-preact";
import { objectToDraw } from "../actions/objects";
import { refusal } from "../actions/refusal";
import { run } from "../actions/rounds";
import { addPrompt } from "../actions/scribbles";
import { strokeReleased } from "../canvas/metrics";
import type { Studio } from "../studio/studio";
import { pointAt } from "./click";
import { sayOutside } from "./picture";
import type { PointerState } from "./pointerState";
import type { Gesture, PointerSample, Tool } from "./tool";

const LEAST = 3; // CSS pixels of each side; a smaller box was pressed by mistake

export const box: Tool = {
  name: "box",
  title: "Box around the object",
  icon: BoxSelect,
  keys: ["Shift+K"],
  cursor: "crosshair",
  draws: true,
  hint: "Drag from corner to corner",
  press: (studio, pointer, at) => press(studio, pointer, at),
};

function press(studio: Studio, pointer: PointerState, at: PointerSample): Gesture | null {
  const { store } = studio;
  const selected = store.selected.peek();
  if (refusal(studio, selected, "click")) return null;
  const frame = store.frame.peek();
  const start = pointAt(studio, at);
  let end = at;
  const done = (): void => {
    pointer.box.value = null;
  };
  return {
    move: (points) => {
      end = points.at(-1) ?? end;
      pointer.box.value = [start, pointAt(studio, end)];
    },
    end: () => {
      done();
      if (Math.abs(end.x - at.x) < LEAST || Math.abs(end.y - at.y) < LEAST) return;
      const points = [start, pointAt(studio, end)];
      if (points[0]?.[0] === points[1]?.[0] || points[0]?.[1] === points[1]?.[1]) {
        sayOutside();
        return;
      }
      const object = objectToDraw(studio, selected);
      addPrompt(studio, frame, object, { kind: "box", points, positive: true });
      strokeReleased(frame, performance.now(), store.summaries.peek()[frame]?.round ?? null);
      if (store.view.peek().runOnRelease) run(studio, frame);
    },
    cancel: done,
  };
}
