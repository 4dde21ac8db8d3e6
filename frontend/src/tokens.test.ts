// @vitest-environment node
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8").replace(/\/\*.*?\*\//gs, "");

/** The custom properties of the first rule with this selector. */
function tokensOf(selector: string): Map<string, string> {
  const rule = css.slice(css.indexOf(`${selector} {`)).split("}")[0] ?? "";
  return new Map(
    [...rule.matchAll(/--([\w-]+):\s*([^;]+);/g)].map(([, name, value]) => [name as string, value as string]),
  );
}

const dark = tokensOf(":root");
const light = new Map([...dark, ...tokensOf(':root[data-theme="light"]')]);

/** Red, green and blue from 0 to 255, and opacity from 0 to 1, of #rgb, #rrggbb or #rrggbbaa. */
function rgba(color: string): [number, number, number, number] {
  const long = color.length < 6 ? color.replace(/[\da-f]/gi, "$&$&") : color;
  const [r, g, b, a = 255] = [1, 3, 5, 7].flatMap((at) =>
    at < long.length ? [Number.parseInt(long.slice(at, at + 2), 16)] : [],
  ) as [number, number, number, number?];
  return [r, g, b, a / 255];
}

/** The relative luminance of WCAG 2.1, for a color that lies on `under`. */
function luminance(color: string, under = "#000000"): number {
  const [over, below] = [rgba(color), rgba(under)];
  const [r, g, b] = [0, 1, 2].map((at) => {
    const mixed = ((over[at] as number) * over[3] + (below[at] as number) * (1 - over[3])) / 255;
    return mixed <= 0.04045 ? mixed / 12.92 : ((mixed + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: number, b: number): number {
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

const GROUNDS = ["ink-0", "ink-1", "ink-2", "ink-3"];
const TEXTS = ["text", "text-2", "text-3", "ok", "warn", "bad"];

describe.each([
  ["dark", dark],
  ["light", light],
])("in the %s theme", (_, tokens) => {
  const of = (name: string): string => {
    const value = tokens.get(name);
    if (!value?.startsWith("#")) throw new Error(`--${name} is no color: ${value}`);
    return value;
  };
  const ratio = (front: string, ground: string): number =>
    contrast(luminance(of(front)), luminance(of(ground)));

  it.each(TEXTS)("--%s can be read on every ground", (text) => {
    const faint = GROUNDS.filter((ground) => ratio(text, ground) < 4.5);
    expect(faint.map((ground) => `${ground}: ${ratio(text, ground).toFixed(2)}`)).toEqual([]);
  });

  it("words in the accent's colour can be read on the page, and words on the accent", () => {
    expect(ratio("accent-text", "ink-0")).toBeGreaterThanOrEqual(4.5);
    expect(ratio("accent-text", "ink-1")).toBeGreaterThanOrEqual(4.5);
    expect(ratio("accent-ink", "accent")).toBeGreaterThanOrEqual(4.5);
  });

  it("words over a picture can be read, whatever the picture", () => {
    for (const picture of ["#000000", "#ffffff"])
      expect(contrast(luminance(of("on-picture")), luminance(of("over-picture"), picture))).toBeGreaterThan(
        4.5,
      );
  });

  it.each(["ring", "heat-low"])("--%s, which is no text, stands out from every ground", (mark) => {
    const faint = GROUNDS.filter((ground) => ratio(mark, ground) < 3);
    expect(faint.map((ground) => `${ground}: ${ratio(mark, ground).toFixed(2)}`)).toEqual([]);
  });
});
