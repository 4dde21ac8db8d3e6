/** All commands of the studio, in the order in which the help lists them. */
import { type Command, commandsFrom } from "../studio/command";
import type { Studio } from "../studio/studio";
import { drawingCommands } from "./drawingCommands";
import { frameCommands } from "./frameCommands";
import { objectCommands } from "./objectCommands";
import { roundCommands } from "./roundCommands";
import { viewCommands } from "./viewCommands";

export function createCommands(studio: Studio): readonly Command[] {
  return commandsFrom([
    ...drawingCommands(studio),
    ...objectCommands(studio),
    ...roundCommands(studio),
    ...frameCommands(studio),
    ...viewCommands(studio),
  ]);
}
