/** What the next round may change: frames, a direction, objects. */
import type { Direction, Span } from "../protocol";

export interface Scope {
  /** The in point: no frame before it changes. */
  first: number | null;
  /** The out point: no frame after it changes. */
  last: number | null;
  direction: Direction;
  /** The round ends at the next drawn or accepted frame on each side. */
  untilNext: boolean;
  /** Only the selected object changes. */
  onlySelected: boolean;
  acrossCuts: boolean;
}

export const EVERYTHING: Scope = {
  first: null,
  last: null,
  direction: "both",
  untilNext: false,
  onlySelected: false,
  acrossCuts: false,
};

/** What a round may change, as its message says it. */
export interface Limits {
  span: Span | null;
  direction: Direction;
  objects: number[] | null;
  across_cuts: boolean;
}
