/**
 * The keys that a person has changed, and presets of keys. A command without an entry has the keys that its declaration
 * names. Keys are written as actions/keys.ts writes a chord: "Ctrl+Shift+Z".
 */
import { signal } from "@preact/signals";

/** Keys by the id of a command. An empty list takes a command's keys away. */
export type KeyBindings = Readonly<Record<string, readonly string[]>>;

export const keyBindings = signal<KeyBindings>({});

export const PRESETS: Readonly<Record<"maskwright" | "cvat", { title: string; bindings: KeyBindings }>> = {
  maskwright: { title: "Maskwright", bindings: {} },
  cvat: {
    title: "CVAT",
    bindings: {
      "frame.previous": ["D"],
      "frame.next": ["F"],
      "frame.back10": ["C"],
      "frame.forward10": ["V"],
      "frame.suggested": ["ArrowRight"],
      "frame.suggestedBack": ["ArrowLeft"],
      "object.next": ["Tab"],
      "object.add": ["N"],
      "object.merge": ["M"],
      "object.delete": ["Delete"],
      "span.absent": ["O"],
      "scope.out": ["Shift+O"],
      "onion.toggle": [],
      "view.mode": ["Shift+M"],
      "help.open": ["F1", "?"],
    },
  },
};

/** Returns the keys of a command: those that the person chose, else the declared ones. Reads a signal. */
export function keysOf(id: string, declared: readonly string[]): readonly string[] {
  return keyBindings.value[id] ?? declared;
}

/** What is needed of a command to change its keys. */
export interface Bound {
  id: string;
  name: string;
  keys: readonly string[];
}

/** Returns the other commands that `key` runs. Escape is left out: it ends whatever is under way. */
export function conflictsOf(commands: readonly Bound[], id: string, key: string): Bound[] {
  if (key === "Escape") return [];
  return commands.filter((command) => command.id !== id && command.keys.includes(key));
}

/** Returns bindings in which `key` is the first key of command `id`, and of no other command. */
export function rebind(
  bindings: KeyBindings,
  commands: readonly Bound[],
  id: string,
  key: string,
  replaced: string | null,
): KeyBindings {
  const changed: Record<string, readonly string[]> = { ...bindings };
  for (const other of conflictsOf(commands, id, key))
    changed[other.id] = other.keys.filter((another) => another !== key);
  const own = commands.find((command) => command.id === id)?.keys ?? [];
  const rest = own.filter((another) => another !== key && another !== replaced);
  changed[id] = replaced === null ? [...rest, key] : [key, ...rest];
  return changed;
}

export class KeyFileError extends Error {}

/** Reads bindings from the text of a file. Throws KeyFileError, which says what is wrong. */
export function readKeyFile(text: string): KeyBindings {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    throw new KeyFileError("This file holds no keys: it is not JSON.");
  }
  const keys = typeof found === "object" && found !== null ? (found as { keys?: unknown }).keys : undefined;
  if (typeof keys !== "object" || keys === null || Array.isArray(keys))
    throw new KeyFileError('This file holds no keys: it has no "keys" by command.');
  for (const [id, list] of Object.entries(keys))
    if (!Array.isArray(list) || list.length > 8 || !list.every((key) => typeof key === "string" && key))
      throw new KeyFileError(`The keys of “${id}” must be a list of at most 8 texts such as "Ctrl+Z".`);
  return keys as KeyBindings;
}

export function keyFile(bindings: KeyBindings): string {
  return `${JSON.stringify({ keys: bindings }, null, 2)}\n`;
}
