/** The size of the brush: of the one that paints masks, in pixels of the frame, or of scribbles, in pixels of the screen. */
import { LARGEST_BRUSH, SMALLEST_BRUSH } from "../masks/brush";
import { toast } from "../parts/Toast";
import type { Studio } from "../studio/studio";
import { setView } from "./objects";

const SCRIBBLES = [2, 4, 6, 10, 16, 24]; // pixels of the screen
const STEP = 1.25; // factor of a key press
const WHEEL = 0.0012; // exponent of the factor per pixel of the wheel
export const BRUSH_TOOLS: readonly string[] = ["brush", "rubber", "smooth"];

/** Makes the brush in use a step smaller (-1) or larger (1). */
export function stepBrush(studio: Studio, by: 1 | -1): void {
  const { paintSize } = studio.store.view.peek();
  if (paintsMasks(studio)) setSize(studio, Math.max(paintSize * STEP ** by, paintSize + (by > 0 ? 1 : 0)));
  else
    setView(studio, ({ brush }) => {
      const at = SCRIBBLES.findIndex((width) => width >= brush);
      return { brush: SCRIBBLES[Math.max(0, Math.min(SCRIBBLES.length - 1, at + by))] ?? brush };
    });
}

/** Changes the size by a movement of the wheel in pixels; up makes the brush larger. */
export function resizeBrush(studio: Studio, pixels: number): void {
  if (!paintsMasks(studio)) {
    stepBrush(studio, pixels < 0 ? 1 : -1);
    return;
  }
  const { paintSize } = studio.store.view.peek();
  const wanted = paintSize * Math.exp(-pixels * WHEEL);
  setSize(studio, pixels < 0 ? Math.max(wanted, paintSize + 1) : Math.min(wanted, paintSize - 1));
}

/** Sets the size that a person typed. A size that is out of range is refused with a sentence. */
export function chooseSize(studio: Studio, size: number): void {
  if (Number.isFinite(size) && size >= SMALLEST_BRUSH && size <= LARGEST_BRUSH) {
    setSize(studio, size);
    return;
  }
  toast({ text: `A brush has from ${SMALLEST_BRUSH} to ${LARGEST_BRUSH} pixels.`, tone: "info" });
}

function setSize(studio: Studio, size: number): void {
  setView(studio, () => ({
    paintSize: Math.max(SMALLEST_BRUSH, Math.min(LARGEST_BRUSH, Math.round(size))),
  }));
}

function paintsMasks({ store }: Studio): boolean {
  return BRUSH_TOOLS.includes(store.tool.peek());
}
