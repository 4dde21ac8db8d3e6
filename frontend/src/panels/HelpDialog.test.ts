import { Circle } from "lucide-preact";
import { expect, test } from "vitest";
import type { Command } from "../studio/command";
import { rowsOf } from "./HelpDialog";

const command = (id: string, name: string, keys: string[]): Command => ({
  id,
  name,
  group: "Objects",
  icon: Circle,
  keys,
  perform: () => {},
  enabled: () => true,
});

test("the help has one row for the digits, all keys of the others, and nothing without a key", () => {
  const digits = [1, 2, 9].map((place) =>
    command(`object.${place}`, `Draw for object ${place}`, [String(place)]),
  );
  const rows = rowsOf(
    [...digits, command("object.add", "New object", ["N", "+"]), command("x", "No key", [])],
    "Objects",
  );
  expect(rows).toEqual([
    { name: "Draw for object 1 to 9", keys: ["1", "…", "9"] },
    { name: "New object", keys: ["N", "+"] },
  ]);
});
