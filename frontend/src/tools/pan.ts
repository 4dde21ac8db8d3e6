/** Moves the frame on the screen. */
import { Hand } from "lucide-preact";
import type { CanvasPoint } from "../canvas/view";
import type { Tool } from "./tool";

export const pan: Tool = {
  name: "pan",
  title: "Move the picture",
  icon: Hand,
  keys: ["P"],
  cursor: "grab",
  pressedCursor: "grabbing",
  draws: false,
  press: ({ stage }, _pointer, at) => {
    let last: CanvasPoint = at;
    return {
      move: (points) => {
        const to = points.at(-1);
        if (!to) return;
        stage.pan(to.x - last.x, to.y - last.y);
        last = to;
      },
      end: () => {},
      cancel: () => {},
    };
  },
};
