/** A polygon that a person is drawing: it changes no mask before it is taken. */
import type { Corner } from "../masks/polygon";

export interface Polygon {
  readonly frame: number;
  readonly object: number;
  readonly corners: readonly Corner[]; // pixels of the frame
  readonly adds: boolean; // false: its pixels are taken away from the object
  readonly closed: boolean; // closed polygons get no new corners at their end, but corners can be moved
}
