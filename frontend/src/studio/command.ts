/**
 * What a person can do in the studio, as a value: one declaration is used by the button, the key, the menu and the
 * help. `enabled` and `pressed` read signals, so that components which show a command update by themselves.
 */
import type { LucideIcon } from "lucide-preact";
import { keysOf } from "../state/keyBindings";

export type Group = "Drawing" | "Objects" | "Rounds" | "Frames" | "Jobs" | "View" | "Help";

export interface Command {
  id: string; // "frame.next"; its button has data-testid "frame-next"
  name: string;
  group: Group;
  icon: LucideIcon;
  /** Values of KeyboardEvent.key, with modifiers as in "Ctrl+Shift+Z". Ctrl is the command key on a Mac. */
  keys: readonly string[];
  perform: () => void;
  enabled: () => boolean;
  pressed?: () => boolean;
  /** Repeats while the key is held. */
  repeats?: boolean;
}

/** The declaration of a command. Without `enabled` the command is always enabled. */
export type CommandSpec = Omit<Command, "enabled"> & { enabled?: () => boolean };

/** The commands that the specifications describe. Their keys are those that the person chose, where they did. */
export function commandsFrom(specs: readonly CommandSpec[]): readonly Command[] {
  return specs.map(({ keys, ...spec }) => ({
    enabled: () => true,
    ...spec,
    get keys() {
      return keysOf(spec.id, keys);
    },
  }));
}

/** Returns the command with an id. Throws if there is none, which is a mistake in the code. */
export function commandOf(commands: readonly Command[], id: string): Command {
  const command = commands.find((other) => other.id === id);
  if (!command) throw new Error(`There is no command “${id}”`);
  return command;
}

/**
 * Returns the first key of a command as people read it, "Space" for example, or undefined if the person took its keys
 * away. Texts and buttons name a key by this function, because keys can be changed.
 */
export function keyOf(commands: readonly Command[], id: string): string | undefined {
  const key = commandOf(commands, id).keys[0];
  return key === " " ? "Space" : key;
}
