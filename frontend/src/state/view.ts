/** How masks are shown, and the parts of the view that survive a reload, stored for each video in localStorage. */

/** `changes` shows what differs from the round before the shown one. */
export type Mode = "overlay" | "outline" | "mask" | "changes";

export interface ViewSettings {
  mode: Mode;
  opacity: number; // 0..100
  contour: number; // screen pixels, 0..4
  hidden: readonly number[];
  solo: number | null;
  showUsed: boolean; // whether scribbles that a round has used are shown
  showScores: boolean; // bars of the timeline show J&F instead of confidence
  brush: number; // width of scribbles in screen pixels; engines see only the path
  runOnRelease: boolean;
  timeline: number; // height of the timeline's track, in pixels
}

export const DEFAULT_VIEW: ViewSettings = {
  mode: "overlay",
  opacity: 55,
  contour: 2,
  hidden: [],
  solo: null,
  showUsed: true,
  showScores: false,
  brush: 6,
  runOnRelease: false,
  timeline: 164,
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

/** Returns the stored view of `video`, or null if there is none or it cannot be read. */
export function recall(video: number): Partial<Remembered> | null {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(name(video)) ?? "null");
    if (typeof kept !== "object" || kept === null) return null;
    const { settings, ...rest } = kept as Partial<Remembered>;
    return { ...rest, settings: { ...DEFAULT_VIEW, ...settings } };
  } catch {
    return null; // Storage is disabled or holds other data: the view starts with the defaults.
  }
}

export function remember(video: number, view: Remembered): void {
  try {
    localStorage.setItem(name(video), JSON.stringify(view));
  } catch {
    // Private windows and full disks refuse to store. Only the view is then not restored.
  }
}
