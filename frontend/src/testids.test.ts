// @vitest-environment node
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { createCommands } from "./editor/commands";
import { fakeStudio } from "./editor/testing";
import { testidOf } from "./panels/CommandButton";
import { TOOLS } from "./tools/tools";

// Commands know the address of the page, which Node has not.
vi.hoisted(() => vi.stubGlobal("location", new URL("http://localhost/")));

// Tests from outside drive the page by these names, so each is listed for them: docs/testids.md.
const page = readFileSync(new URL("../../docs/testids.md", import.meta.url), "utf8");
const quoted = [...(page.split("\n## Times")[0] as string).matchAll(/`([a-z][a-z0-9<>-]*)`/g)].map(
  (match) => match[1] as string,
);
const listed = new Set(quoted.filter((name) => !name.startsWith("data-")));

/** Names in the source, with what is filled in as <…>: `object-${number}-hide` is object-<>-hide. */
function used(): { name: string; file: string }[] {
  const found: { name: string; file: string }[] = [];
  for (const file of readdirSync(new URL(".", import.meta.url), { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".tsx") || file.includes(".test.") || file.endsWith("testing.tsx")) continue;
    const text = readFileSync(new URL(file, import.meta.url), "utf8");
    for (const [, plain, filled] of text.matchAll(/testid(?:=|: )\{?(?:"([^"]+)"|`([^`]+)`)/g))
      found.push({ name: plain ?? (filled as string).replace(/\$\{[^}]*\}/g, "<>"), file });
    for (const [, id] of text.matchAll(/<Command(?:Icon|Button) id="([^"]+)"/g))
      found.push({ name: testidOf(id as string), file });
  }
  return found;
}

describe("docs/testids.md", () => {
  const shapes = new Set([...listed].map((name) => name.replace(/<[^>]*>/g, "<>")));

  it("lists every test id of the page", () => {
    const missing = used().filter(
      ({ name }) => !name.startsWith("<>") && !shapes.has(name) && !shapes.has(`${name}-<>`),
    );
    expect(missing.map(({ name, file }) => `${name} (${file})`)).toEqual([]);
  });

  it("lists the buttons of all tools", () => {
    expect(TOOLS.map(({ name }) => testidOf(`tool.${name}`)).filter((name) => !listed.has(name))).toEqual([]);
  });

  it("lists none that is not there", () => {
    const names = new Set(used().map(({ name }) => name));
    const made = new Set(createCommands(fakeStudio()).map(({ id }) => testidOf(id)));
    // A dialog gives its name to its button "close", and a list of boxes to each box.
    const composed = (name: string) =>
      /-(close|<>)$/.test(name) && names.has(name.replace(/-(close|<>)$/, ""));
    const stale = [...shapes].filter((name) => !names.has(name) && !made.has(name) && !composed(name));
    expect(stale).toEqual([]);
  });
});
