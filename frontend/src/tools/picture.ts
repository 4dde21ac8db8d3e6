/** What was meant to be drawn in the picture, but lies outside of it. */
import { type CanvasPoint, toFrame } from "../canvas/view";
import { toast } from "../parts/Toast";
import type { Studio } from "../studio/studio";

/** Whether a place on the stage lies in the picture. */
export function inFrame({ stage }: Studio, at: CanvasPoint): boolean {
  const { x, y } = toFrame(stage.view.peek(), at);
  return x >= 0 && y >= 0 && x < stage.frameSize.width && y < stage.frameSize.height;
}

/** Tells the person why nothing was drawn. */
export function sayOutside(): void {
  toast({ text: "That was outside of the picture, so nothing was drawn.", tone: "info" });
}
