/** How masks are shown, and what of the view a reload brings back: kept for each video in localStorage. */

/** `changes` shows what differs from the round before the shown one. */
export type Mode = "overlay" | "outline" | "mask" | "changes";

export interface ViewSettings {
  mode: Mode;
  opacity: number; // 0..100
  contour: number; // screen pixels, 0..4
  hidden: readonly number[];
  locked: readonly number[];
  solo: number | null;
  showUsed: boolean; // strokes of the frame that a round has used
  showScores: boolean; // the timeline's bars are J&F against ground truth, where there is some, instead of confidence
  brush: number; // width in which strokes are shown, in screen pixels: engines see a path, not a width
  runOnRelease: boolean;
}

export const DEFAULT_VIEW: ViewSettings = {
  mode: "overlay",
  opacity: 55,
  contour: 2,
  hidden: [],
  locked: [],
  solo: null,
  showUsed: true,
  showScores: false,
  brush: 6,
  runOnRelease: false,
};

export interface Remembered {
  frame: number;
  zoom: number | null; // null = fit
  centerX: number; // frame pixels
  centerY: number;
  selected: number;
  engine: string;
  settings: ViewSettings;
}

const name = (video: number): string => `maskwright.view.${video}`;

/** What was remembered of `video`, or null where nothing was, or where it cannot be read any more. */
export function recall(video: number): Partial<Remembered> | null {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(name(video)) ?? "null");
    if (typeof kept !== "object" || kept === null) return null;
    const { settings, ...rest } = kept as Partial<Remembered>;
    return { ...rest, settings: { ...DEFAULT_VIEW, ...settings } };
  } catch {
    return null; // storage is off or holds something else: the view starts afresh
  }
}

export function remember(video: number, view: Remembered): void {
  try {
    localStorage.setItem(name(video), JSON.stringify(view));
  } catch {
    // Private windows and full disks refuse; the view is then not brought back, nothing else depends on it.
  }
}
