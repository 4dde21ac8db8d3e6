/** The command of each tool, and the one that lets the arrow keys use it. */
import { Keyboard } from "lucide-preact";
import { polygonCommands } from "../actions/polygon";
import type { CommandSpec } from "../studio/command";
import type { Studio } from "../studio/studio";
import type { Tool } from "./tool";
import { TOOLS } from "./tools";

const group = "Drawing";

export function toolCommands(studio: Studio): CommandSpec[] {
  return [...polygonCommands(studio), ...TOOLS.map((tool) => commandOfTool(studio, tool)), arrowKeys(studio)];
}

function commandOfTool(studio: Studio, tool: Tool): CommandSpec {
  const { store } = studio;
  return {
    id: `tool.${tool.name}`,
    name: tool.title,
    group,
    icon: tool.icon,
    keys: tool.keys,
    enabled: () => store.canDraw.value || !tool.draws,
    pressed: () => tool.chosen?.(studio) ?? store.tool.value === tool.name,
    perform: () => {
      if (tool.choose) tool.choose(studio);
      else store.tool.value = tool.name;
    },
  };
}

function arrowKeys({ store }: Studio): CommandSpec {
  return {
    id: "tool.keys",
    name: "Draw with the arrow keys",
    group,
    icon: Keyboard,
    keys: ["J"],
    enabled: () => store.canDraw.value,
    pressed: () => store.keyPen.value,
    perform: () => {
      store.keyPen.value = !store.keyPen.peek();
    },
  };
}
