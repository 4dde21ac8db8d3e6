/** The tools of the canvas, in the order of the tool rail. */
import type { Studio } from "../studio/studio";
import { background } from "./background";
import { erase } from "./erase";
import { pan } from "./pan";
import { scribble } from "./scribble";
import type { Tool } from "./tool";

export const TOOLS: readonly Tool[] = [scribble, background, erase, pan];

/** The tool that a pointer uses now. Reads signals. Who may not draw moves the frame. */
export function toolInUse(studio: Studio): Tool {
  const { tool, canDraw } = studio.store;
  const chosen = TOOLS.find(({ name }) => name === tool.value);
  return chosen && (canDraw.value || !chosen.draws) ? chosen : pan;
}
