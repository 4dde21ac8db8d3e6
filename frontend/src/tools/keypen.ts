/**
 * Drawing without a pointer: the arrow keys move a pen over the frame. Space or Enter puts it down and lifts it,
 * Shift makes smaller steps, Escape cancels the stroke, and then leaves the mode.
 */
import { effect, untracked } from "@preact/signals";
import { type CanvasPoint, canvasPoint, framePoint, toCanvas, toFrame } from "../canvas/view";
import type { Studio } from "../studio/studio";
import type { PointerState } from "./pointerState";
import { scribble } from "./scribble";
import { type Gesture, sampleAt, type Tool } from "./tool";
import { toolInUse } from "./tools";

const STEP = 8; // CSS pixels a key press moves the pen
const FINE = 1;
const ARROWS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Listens while `store.keyPen` is on and the stage, or nothing, has the focus. Returns a function that stops it. */
export function listenToPen(studio: Studio, pointer: PointerState): () => void {
  const { store } = studio;
  let gesture: Gesture | null = null;

  const lift = (cancelled: boolean): void => {
    if (cancelled) gesture?.cancel();
    else gesture?.end();
    gesture = null;
  };
  const key = (event: KeyboardEvent): void => {
    const pen = pointer.pen.peek();
    if (!pen || event.ctrlKey || event.metaKey || event.altKey || !onPicture(event.target)) return;
    if (document.querySelector("dialog[open]")) return; // A dialog is open, even if the focus has left it.
    const arrow = ARROWS[event.key];
    if (arrow) {
      const moved = inFrame(studio, pen, arrow, event.shiftKey ? FINE : STEP);
      pointer.pen.value = moved;
      gesture?.move([sampleAt(moved)]);
    } else if (event.key === " " || event.key === "Enter") {
      if (event.repeat) return;
      if (gesture) lift(false);
      else gesture = penTool(studio).press(studio, pointer, sampleAt(pen));
    } else if (event.key === "Escape") {
      if (gesture) lift(true);
      else store.keyPen.value = false;
    } else return;
    event.preventDefault();
    event.stopImmediatePropagation(); // These keys have other meanings without the pen.
  };
  const end = effect(() => {
    if (!store.keyPen.value) lift(true);
    const { width, height } = studio.stage.stageSize;
    pointer.pen.value = store.keyPen.value ? canvasPoint(width / 2, height / 2) : null;
  });
  // The focus leaves a button or menu that was used before, which would get the keys of the pen.
  const endFocus = effect(() => {
    if (store.keyPen.value && document.activeElement instanceof HTMLElement) document.activeElement.blur();
  });
  addEventListener("keydown", key, true);
  return () => {
    removeEventListener("keydown", key, true);
    end();
    endFocus();
  };
}

/** The tool in use, or the scribble tool where that draws nothing. */
function penTool(studio: Studio): Tool {
  const tool = untracked(() => toolInUse(studio));
  return tool.draws ? tool : scribble;
}

function onPicture(target: EventTarget | null): boolean {
  return (
    target === document.body || (target instanceof HTMLElement && target.closest("[data-pen-area]") !== null)
  );
}

function inFrame(
  studio: Studio,
  pen: CanvasPoint,
  [dx, dy]: readonly [number, number],
  step: number,
): CanvasPoint {
  const { view, frameSize } = studio.stage;
  const to = toFrame(view.peek(), canvasPoint(pen.x + dx * step, pen.y + dy * step));
  const clamp = (value: number, high: number): number => Math.max(0, Math.min(high, value));
  return toCanvas(view.peek(), framePoint(clamp(to.x, frameSize.width), clamp(to.y, frameSize.height)));
}
