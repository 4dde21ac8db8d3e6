/** All commands of the studio, in the order in which the help lists them. */
import { drawingCommands } from "../actions/drawingCommands";
import { frameCommands } from "../actions/frameCommands";
import { jobCommands, pinCommands, reviewCommands } from "../actions/jobCommands";
import { neighbourCommands } from "../actions/neighbours";
import { objectCommands } from "../actions/objectCommands";
import { roundCommands } from "../actions/roundCommands";
import { selectionCommands } from "../actions/selectionCommands";
import { viewCommands } from "../actions/viewCommands";
import { type Command, commandsFrom } from "../studio/command";
import type { Studio } from "../studio/studio";
import { toolCommands } from "../tools/toolCommands";

export function createCommands(studio: Studio): readonly Command[] {
  return commandsFrom([
    ...reviewCommands(studio),
    ...toolCommands(studio),
    ...drawingCommands(studio),
    ...objectCommands(studio),
    ...roundCommands(studio),
    ...frameCommands(studio),
    ...selectionCommands(studio),
    ...jobCommands(studio),
    ...pinCommands(studio),
    ...neighbourCommands(studio),
    ...viewCommands(studio),
  ]);
}
