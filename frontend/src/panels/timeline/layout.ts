/** The rows of the timeline, from top to bottom: numbers, pictures, confidence, a lane for each object, progress. */

export const LEAST_HEIGHT = 112;
export const MOST_HEIGHT = 420;
export const USUAL_HEIGHT = 164;
/** The height of a lane with its gap, in pixels. */
export const LANE = 16;

const RULER = 13;
const FILM = 30;
const BARS = 26;
// Below this height the pictures make room for lanes.
const FILM_FROM = 140;

export interface Layout {
  height: number;
  /** y of the bottom of the numbers. */
  ruler: number;
  /** The row of pictures, null if there is no room for it. */
  film: { top: number; height: number } | null;
  /** Confidence: bars stand on `base` and reach up to `top`. */
  bars: { top: number; base: number };
  /** The line of accepted frames. */
  accepted: number;
  lanes: { top: number; bottom: number };
  /** The line of what the running round has reached. */
  reached: number;
}

export function layoutOf(height: number): Layout {
  const film = height >= FILM_FROM ? { top: RULER + 3, height: FILM } : null;
  const top = (film ? film.top + film.height : RULER) + 4;
  const base = top + BARS;
  return {
    height,
    ruler: RULER,
    film,
    bars: { top, base },
    accepted: base + 2,
    lanes: { top: base + 8, bottom: height - 10 },
    reached: height - 7,
  };
}

export function clampHeight(height: number): number {
  return Math.round(Math.max(LEAST_HEIGHT, Math.min(MOST_HEIGHT, height)));
}

/** Returns how far lanes must be scrolled so that lane `index` is in sight: `offset` if it is already. */
export function revealLane(layout: Layout, offset: number, index: number): number {
  const room = layout.lanes.bottom - layout.lanes.top;
  const top = index * LANE;
  if (top < offset) return top;
  return top + LANE > offset + room ? top + LANE - room : offset;
}
