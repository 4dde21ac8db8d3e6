/** Fills the hole that is pressed on, or removes the island that is pressed on, of the selected object. */
import { PaintBucket } from "lucide-preact";
import { toFrame } from "../canvas/view";
import { toggleIsland } from "../masks/islands";
import { toast } from "../parts/Toast";
import { Painter } from "./painter";
import type { Tool } from "./tool";

export const island: Tool = {
  name: "island",
  title: "Fill a hole or remove an island",
  icon: PaintBucket,
  keys: ["Shift+F"],
  cursor: "crosshair",
  draws: true,
  hint: "Press on a hole to fill it, on an island to remove it",
  paints: true,
  press: (studio, pointer, at) => {
    const { x, y } = toFrame(studio.stage.view.peek(), at);
    const { width, height } = studio.stage.frameSize;
    if (x < 0 || y < 0 || x >= width || y >= height) return null;
    const painter = Painter.begin(studio, pointer);
    if (!painter) return null;
    const done = toggleIsland(painter.pixels, Math.floor(y) * width + Math.floor(x));
    if (!done) {
      toast({ text: "There is no hole here: the background reaches the edge of the frame.", tone: "info" });
      return null;
    }
    painter.show();
    return {
      move: () => {},
      end: () => painter.take(done === "filled" ? "hole filling" : "island removal"),
      cancel: () => painter.cancel(),
    };
  },
};
