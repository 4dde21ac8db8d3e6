import { afterEach, describe, expect, it } from "vitest";
import {
  type Bound,
  conflictsOf,
  KeyFileError,
  keyBindings,
  keyFile,
  keysOf,
  PRESETS,
  readKeyFile,
  rebind,
} from "./keyBindings";

const commands: Bound[] = [
  { id: "play", name: "Play", keys: ["Space"] },
  { id: "frame.next", name: "Next frame", keys: ["F", "ArrowRight"] },
  { id: "round.cancel", name: "Cancel", keys: ["Escape"] },
];

afterEach(() => {
  keyBindings.value = {};
});

describe("keys that a person changed", () => {
  it("take the place of the declared ones", () => {
    expect(keysOf("play", ["Space"])).toEqual(["Space"]);
    keyBindings.value = { play: ["P"] };
    expect(keysOf("play", ["Space"])).toEqual(["P"]);
  });

  it("show which other command has the key", () => {
    expect(conflictsOf(commands, "play", "F").map(({ id }) => id)).toEqual(["frame.next"]);
    expect(conflictsOf(commands, "frame.next", "F")).toEqual([]);
    expect(conflictsOf(commands, "play", "Escape")).toEqual([]);
  });

  it("are taken from the other command", () => {
    expect(rebind({}, commands, "play", "F", "Space")).toEqual({ play: ["F"], "frame.next": ["ArrowRight"] });
    expect(rebind({}, commands, "frame.next", "G", null)).toEqual({ "frame.next": ["F", "ArrowRight", "G"] });
  });
});

describe("a file of keys", () => {
  it("is read as it was written", () => {
    const bindings = { play: ["P"], "frame.next": [] };
    expect(readKeyFile(keyFile(bindings))).toEqual(bindings);
  });

  it.each(["", "[]", "{}", '{"keys": []}', '{"keys": {"play": "P"}}', '{"keys": {"play": [""]}}'])(
    "in another form is refused: %s",
    (text) => {
      expect(() => readKeyFile(text)).toThrow(KeyFileError);
    },
  );
});

it("no preset gives one key to two commands", () => {
  for (const { bindings } of Object.values(PRESETS)) {
    const keys = Object.values(bindings).flat();
    expect(new Set(keys).size).toBe(keys.length);
  }
});
