/** How masks are shown, and the parts of the view that survive a reload, stored for each video in localStorage. */

import type { Over } from "../masks/compose";

/** `changes` shows what differs from the round before the shown one, `matte` the objects' pixels on a plain ground. */
export type Mode = "overlay" | "outline" | "mask" | "changes" | "matte";

/** What stands behind the objects in mode `matte`: a chessboard, or a colour as #rrggbb. */
export type Ground = "checkerboard" | string;
export type ColorBy = "object" | "label" | "confidence";

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
  paintSize: number; // diameter of the brush that paints masks, in pixels of the frame
  hardness: number; // 1..100: the share of that brush which paints at once
  paintOver: Over; // whether painting takes pixels from other objects
  brightness: number; // percent; 100 shows the frame as it is
  contrast: number; // percent; 100 shows the frame as it is
  gamma: number; // 1 shows the frame as it is, more makes its dark parts lighter
  magnifier: boolean;
  onion: number; // contours of that many frames before and after are shown; 0 shows none
  ground: Ground;
  colorBy: ColorBy;
  folded: readonly string[]; // names of the sections of the right panel of which only the heading is shown
}

export const DEFAULT_VIEW: ViewSettings = {
  mode: "overlay",
  opacity: 30,
  contour: 2,
  hidden: [],
  solo: null,
  showUsed: true,
  showScores: false,
  brush: 6,
  runOnRelease: false,
  timeline: 164,
  paintSize: 24,
  hardness: 100,
  paintOver: "unlocked",
  brightness: 100,
  contrast: 100,
  gamma: 1,
  magnifier: false,
  onion: 0,
  ground: "checkerboard",
  colorBy: "object",
  folded: ["picture"],
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
