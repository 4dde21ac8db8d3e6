/**
 * What a person can do in the studio, as a value: one declaration serves the button, the key, the menu and the help.
 * `enabled` and `pressed` read signals, so that whatever shows a command follows them by itself.
 */
import type { LucideIcon } from "lucide-preact";

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
export type CommandSpec = Omit<Command, "enabled"> & { enabled?: () => boolean };

/** The commands that the specifications describe. */
export function commandsFrom(specs: readonly CommandSpec[]): readonly Command[] {
  return specs.map((spec) => ({ enabled: () => true, ...spec }));
}

/** Finds a command by its id; an unknown id is a mistake in the program. */
export function commandOf(commands: readonly Command[], id: string): Command {
  const command = commands.find((other) => other.id === id);
  if (!command) throw new Error(`There is no command “${id}”`);
  return command;
}
