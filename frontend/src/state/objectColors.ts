/** The colours in which masks are shown: by object, by label, or by how sure the engine is. */
import type { ObjectInfo } from "../protocol";
import type { ColorBy } from "./view";

const NO_LABEL = "#9aa4b2";
const SURE: readonly [number, string][] = [
  [0.95, "#3ecf8e"],
  [0.85, "#b5d96b"],
  [0.75, "#f2b84b"],
  [0, "#ff6b6b"],
];
const UNKNOWN = "#8a94a3";

/**
 * Returns the objects in the colours in which their masks are shown. Two objects never share a colour: the second gets
 * another shade. Only in the colours of labels, objects without one are all grey. `confidence` is of object 1, 2, ... in 0..255, as a mask brings it.
 */
export function recoloured(
  objects: readonly ObjectInfo[],
  by: ColorBy,
  confidence: Uint8Array | null,
): readonly ObjectInfo[] {
  if (by === "confidence")
    return objects.map((object) => ({
      ...object,
      color: colorOfConfidence(confidence?.[object.number - 1]),
    }));
  const labels = new Map<number, string>(); // the colour of a label is that of its first object
  for (const { label, color } of objects) if (label !== null && !labels.has(label)) labels.set(label, color);
  const used = new Set<string>();
  return objects.map((object) => {
    const { label } = object;
    if (by === "label" && label === null) return { ...object, color: NO_LABEL };
    const wanted = by === "object" ? object.color : (labels.get(label as number) as string);
    const color = unusedShade(wanted, used);
    return color === object.color ? object : { ...object, color };
  });
}

function unusedShade(color: string, used: Set<string>): string {
  for (let step = 0; ; step++) {
    const candidate = step === 0 ? color : shade(color, step);
    if (used.has(candidate) && step < 400) continue;
    used.add(candidate);
    return candidate;
  }
}

/** Returns the `step`-th shade of a colour: lighter and darker in turn, and a little further around in hue each time. */
export function shade(color: string, step: number): string {
  const [hue, saturation, lightness] = hslOf(color);
  const away = Math.ceil(step / 2);
  const light = step % 2 === 1 ? lightness + (0.92 - lightness) * part(away) : lightness * (1 - part(away));
  const turned = hue + (step % 2 === 1 ? 1 : -1) * Math.floor((step - 1) / 6) * 0.02;
  return hexOf((turned + 1) % 1, saturation, Math.max(0.2, Math.min(0.92, light)));
}

/** How far a shade lies on the way to white or black: a quarter, a half, three quarters, and so on between. */
function part(away: number): number {
  return ((away - 1) % 3) * 0.25 + 0.25 - 0.02 * Math.floor((away - 1) / 3);
}

function colorOfConfidence(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  return SURE.find(([least]) => value / 255 >= least)?.[1] ?? UNKNOWN;
}

function hslOf(color: string): [number, number, number] {
  const rgb = Number.parseInt(color.slice(1), 16);
  const [r, g, b] = [(rgb >> 16) & 255, (rgb >> 8) & 255, rgb & 255].map((value) => value / 255) as [
    number,
    number,
    number,
  ];
  const [most, least] = [Math.max(r, g, b), Math.min(r, g, b)];
  const [lightness, span] = [(most + least) / 2, most - least];
  if (span === 0) return [0, 0, lightness];
  const saturation = span / (1 - Math.abs(2 * lightness - 1));
  const turn = most === r ? ((g - b) / span + 6) % 6 : most === g ? (b - r) / span + 2 : (r - g) / span + 4;
  return [turn / 6, saturation, lightness];
}

function hexOf(hue: number, saturation: number, lightness: number): string {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  const channel = (n: number): string => {
    const k = (n + hue * 12) % 12;
    const value = lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(value * 255)
      .toString(16)
      .padStart(2, "0");
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}
