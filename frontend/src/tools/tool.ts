/**
 * What a tool of the canvas is: its button, its key, its cursor, and what a pointer that is pressed on the frame does
 * until it is released. A tool is one file of this folder and one line in tools.ts.
 */
import type { LucideIcon } from "lucide-preact";
import type { CanvasPoint } from "../canvas/view";
import type { Studio } from "../studio/studio";
import type { PointerState } from "./pointerState";

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
  /** The width of scribbles is shown as a ring under the pointer. */
  showsWidth?: boolean;
  /** Begins a gesture. Null: nothing begins, and the tool has told the person why unless that is plain to see. */
  press: Press;
  /** The same for the right button, and for the left one while Alt is held. Without it, these do nothing. */
  pressAlternative?: Press;
  /** The pointer is over the frame without being pressed. */
  hover?: (studio: Studio, pointer: PointerState, at: CanvasPoint) => void;
  /** Replaces what choosing the tool does, where a choice is more than its name. */
  choose?: (studio: Studio) => void;
  /** Whether the tool is the one in use; reads signals. Given together with `choose`. */
  chosen?: (studio: Studio) => boolean;
}

export type Press = (studio: Studio, pointer: PointerState, at: CanvasPoint) => Gesture | null;

export interface Gesture {
  /** All points since the last call, in order: a pen gives several between two frames of the screen. */
  move(points: readonly CanvasPoint[]): void;
  end(): void;
  /** The gesture is given up (a second finger, Escape): nothing of it remains. */
  cancel(): void;
}
