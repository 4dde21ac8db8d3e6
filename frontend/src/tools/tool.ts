/**
 * What a tool of the canvas is: its button, its key, its cursor, and what a pointer that is pressed on the frame does
 * until it is released. A tool is one file of this folder and one line in tools.ts.
 */
import type { LucideIcon } from "lucide-preact";
import { type CanvasPoint, canvasPoint } from "../canvas/view";
import type { Studio } from "../studio/studio";
import type { PointerState } from "./pointerState";

/** Where the pointer is, how hard a pen presses (0..1; a mouse and a finger give 1), and whether Shift is held. */
export type PointerSample = CanvasPoint & { readonly pressure: number; readonly shift: boolean };

export function sampleAt(at: CanvasPoint, pressure = 1, shift = false): PointerSample {
  return { ...canvasPoint(at.x, at.y), pressure, shift };
}

export interface Tool {
  /** Names the tool in the store. The command is `tool.<name>`, the test id of its button `tool-<name>`. */
  name: string;
  /** What the tooltip and the help say. */
  title: string;
  icon: LucideIcon;
  /** As a command's keys; the first is shown on the button. */
  keys: readonly string[];
  /** CSS cursors over the frame, and while the pointer is pressed if that differs. */
  cursor: string;
  pressedCursor?: string;
  /** The tool changes the video: viewers do not have it, and it can be used with the arrow keys. */
  draws: boolean;
  /** What the row above the picture says of the tool's gestures. */
  hint?: string;
  /** The ring that is shown under the pointer: as wide as scribbles, or as the brush that paints masks. */
  ring?: "scribble" | "brush";
  /** The tool has the settings of painting: the rule for other objects, and for a brush its size and hardness. */
  paints?: boolean;
  /** Begins a gesture. Null: nothing begins, and the tool has told the person why unless that is plain to see. */
  press: Press;
  /** The same for the right button, and for the left one while Alt is held. Without it, these do nothing. */
  pressAlternative?: Press;
  /** The pointer is over the frame without being pressed. */
  hover?: (studio: Studio, pointer: PointerState, at: PointerSample) => void;
  /** Replaces what choosing the tool does, where a choice is more than its name. */
  choose?: (studio: Studio) => void;
  /** Whether the tool is the one in use; reads signals. Given together with `choose`. */
  chosen?: (studio: Studio) => boolean;
}

export type Press = (studio: Studio, pointer: PointerState, at: PointerSample) => Gesture | null;

export interface Gesture {
  /** All points since the last call, in order: a pen gives several between two frames of the screen. */
  move(points: readonly PointerSample[]): void;
  end(): void;
  /** The gesture is given up (a second finger, Escape): nothing of it remains. */
  cancel(): void;
}
