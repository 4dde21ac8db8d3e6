/** Takes pixels away from the selected object; with the right button or Alt it adds them. */
import { Eraser } from "lucide-preact";
import { beginStroke, brush } from "./brush";
import type { Tool } from "./tool";

export const rubber: Tool = {
  ...brush,
  name: "rubber",
  title: "Erase from the mask",
  icon: Eraser,
  keys: ["Shift+E"],
  hint: "Right button or Alt: add · Shift: straight line",
  press: (studio, pointer, at) => beginStroke(studio, pointer, at, 0),
  pressAlternative: (studio, pointer, at) => beginStroke(studio, pointer, at, 1),
};
