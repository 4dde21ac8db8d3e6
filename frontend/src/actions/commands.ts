/**
 * Everything that a person can do in the studio, as values: one declaration serves the button, the key, the menu and
 * the help. A command reads signals in `enabled` and `pressed`, so whatever shows it follows by itself.
 */
import type { LucideIcon } from "lucide-preact";
import type { Opened } from "../studio/open";
import { drawingCommands } from "./drawingCommands";
import { frameCommands } from "./frameCommands";
import { objectCommands } from "./objectCommands";
import { roundCommands } from "./roundCommands";
import { viewCommands } from "./viewCommands";

export type Group = "Drawing" | "Objects" | "Rounds" | "Frames" | "View" | "Help";

export interface Command {
  id: string; // "frame.next"; its button has data-testid "frame-next"
  name: string;
  group: Group;
  icon: LucideIcon;
  /** As on KeyboardEvent.key, "Ctrl+Shift+Z" style; Ctrl is also the Mac's command key. */
  keys: readonly string[];
  perform: () => void;
  enabled: () => boolean;
  pressed?: () => boolean;
  /** Goes on while the key is held. */
  repeats?: boolean;
}

/** A command as it is declared: one that says nothing of it is always enabled. */
export type Sketch = Omit<Command, "enabled"> & { enabled?: () => boolean };

export function createCommands(studio: Opened): readonly Command[] {
  const sketches: Sketch[] = [
    ...drawingCommands(studio),
    ...objectCommands(studio),
    ...roundCommands(studio),
    ...frameCommands(studio),
    ...viewCommands(studio),
  ];
  return sketches.map((sketch) => ({ enabled: () => true, ...sketch }));
}

/** Finds a command by its id; an unknown id is a mistake in the program. */
export function commandOf(commands: readonly Command[], id: string): Command {
  const command = commands.find((other) => other.id === id);
  if (!command) throw new Error(`There is no command “${id}”`);
  return command;
}
