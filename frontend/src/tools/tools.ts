/** The tools of the canvas, in the order of the tool rail. */
import type { Studio } from "../studio/studio";
import { background } from "./background";
import { box } from "./box";
import { brush } from "./brush";
import { click } from "./click";
import { erase } from "./erase";
import { island } from "./island";
import { pan } from "./pan";
import { polygon } from "./polygon";
import { rubber } from "./rubber";
import { scribble } from "./scribble";
import { smooth } from "./smooth";
import type { Tool } from "./tool";

export const TOOLS: readonly Tool[] = [
  scribble,
  background,
  click,
  box,
  erase,
  brush,
  rubber,
  polygon,
  island,
  smooth,
  pan,
];

/**
 * Returns the tool that a pointer uses now. People who may not draw move the frame.
 * An effect that calls it runs again on a change.
 */
export function toolInUse(studio: Studio): Tool {
  const { tool, canDraw } = studio.store;
  const chosen = TOOLS.find(({ name }) => name === tool.value);
  return chosen && (canDraw.value || !chosen.draws) ? chosen : pan;
}
