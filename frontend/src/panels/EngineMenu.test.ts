import { expect, test } from "vitest";
import type { Engine } from "../api/types";
import { entriesOf } from "./EngineMenu";

const engine = (name: string, published: boolean, preferred = false) =>
  ({ name, published, default: preferred }) as Engine;
const item = ({ name }: Engine) => ({ name, testid: name });
const names = (engines: Engine[]) =>
  entriesOf(engines, item).map((entry) =>
    typeof entry === "string" ? entry : "heading" in entry ? `# ${entry.heading}` : entry.name,
  );

test("the default engine comes first, those of papers come last under a heading", () => {
  const engines = [
    engine("flow", false),
    engine("stm", true),
    engine("star", false, true),
    engine("ipn", true),
  ];
  expect(names(engines)).toEqual(["star", "flow", "# Research", "stm", "ipn"]);
});

test("without engines of papers there is no heading", () => {
  expect(names([engine("flow", false)])).toEqual(["flow"]);
});
