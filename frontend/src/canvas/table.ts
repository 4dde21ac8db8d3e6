/**
 * The colour table: the colour of each cell of a decoded mask (object number + 256 * depth). Visibility, opacity, solo,
 * contours and modes only change this table, so no mask has to be decoded again.
 */
import { MAX_DEPTH } from "../masks/contour";
import type { ObjectInfo } from "../protocol";
import type { ViewSettings } from "../state/view";

/** (MAX_DEPTH + 1) x 256 pixels in the memory layout of ImageData. */
export type ColorTable = Uint32Array;

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
const DIM = 0.2; // opacity of unchanged pixels in mode `changes`

/** Returns one pixel in the layout of ImageData; `alpha` is in 0..1. */
export function pixel(color: string, alpha: number): number {
  const rgb = Number.parseInt(color.slice(1), 16);
  const [r, g, b] = [(rgb >> 16) & 255, (rgb >> 8) & 255, rgb & 255];
  const a = Math.round(Math.max(0, Math.min(1, alpha)) * 255);
  return (LITTLE_ENDIAN ? (a << 24) | (b << 16) | (g << 8) | r : (r << 24) | (g << 16) | (b << 8) | a) >>> 0;
}

export function isVisible(object: ObjectInfo, view: ViewSettings): boolean {
  if (object.deleted) return false;
  return view.solo === null ? !view.hidden.includes(object.number) : view.solo === object.number;
}

/**
 * Builds the table. `scale` is screen pixels per pixel of the frame: contours keep their width on screen, in whole
 * pixels.
 */
export function colorTable(objects: readonly ObjectInfo[], view: ViewSettings, scale: number): ColorTable {
  const table = new Uint32Array((MAX_DEPTH + 1) * 256);
  const rim = contourDepth(view, scale);
  const fill =
    view.mode === "mask" || view.mode === "matte" ? 1 : view.mode === "outline" ? 0 : view.opacity / 100;
  for (const object of objects) {
    if (!isVisible(object, view)) continue;
    for (let depth = 0; depth <= MAX_DEPTH; depth++) {
      const edge = depth > 0 && depth <= rim;
      table[object.number | (depth << 8)] = pixel(object.color, edge ? 1 : fill);
    }
  }
  return table;
}

/** Above this scale contours are drawn as lines (outline.ts), because one pixel of the frame would be too wide. */
export const LINES_ABOVE = 2;

/** Returns the width of contours in pixels of the screen; 0 means none. */
export function contourWidth(view: ViewSettings): number {
  if (view.mode === "outline") return Math.max(1, view.contour);
  return view.mode === "overlay" ? view.contour : 0;
}

/** Returns the width of a contour in pixels of the frame, where it is painted with the mask; 0 means none. */
export function contourDepth(view: ViewSettings, scale: number): number {
  const wanted = contourWidth(view);
  if (wanted === 0 || scale > LINES_ABOVE) return 0;
  return Math.max(1, Math.min(MAX_DEPTH, Math.round(wanted / scale)));
}

/** The tables of mode `changes`, by object number: added, removed and unchanged pixels. */
export interface ChangeTables {
  won: Uint32Array;
  lost: Uint32Array;
  same: Uint32Array;
}

export function changeTables(objects: readonly ObjectInfo[], view: ViewSettings): ChangeTables {
  const tables = { won: new Uint32Array(256), lost: new Uint32Array(256), same: new Uint32Array(256) };
  for (const object of objects) {
    if (!isVisible(object, view)) continue;
    tables.won[object.number] = pixel(object.color, 0.95);
    tables.lost[object.number] = pixel(object.color, 0.8);
    tables.same[object.number] = pixel(object.color, DIM);
  }
  return tables;
}
