/** Draws what belongs to no object. It is the scribble tool with the background in place of an object. */
import { CircleSlash } from "lucide-preact";
import { scribble } from "./scribble";
import type { Tool } from "./tool";

export const background: Tool = {
  ...scribble,
  name: "background",
  title: "Scribble on the background",
  icon: CircleSlash,
  keys: ["0"],
  hint: "Scribbles on what belongs to no object",
  choose: ({ store }) => {
    store.tool.value = scribble.name;
    store.selected.value = 0;
  },
  chosen: ({ store }) => store.tool.value === scribble.name && store.selected.value === 0,
};
