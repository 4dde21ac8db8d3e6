/** Moves the picture. */
import type { CanvasPoint } from "../canvas/view";
import type { Tool } from "./tool";

export const pan: Tool = ({ stage }, _hand, at) => {
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
};
