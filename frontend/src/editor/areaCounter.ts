/**
 * Counts the areas of objects while the browser is idle, so that almost empty masks are found without slowing anything
 * down: counting all masks of a long video takes seconds.
 */
import { effect } from "@preact/signals";
import { countAreas } from "../state/frameSummary";
import type { Store } from "../state/store";

const SPARE = 4; // ms, more than counting one 1080p mask takes
const TELL_EVERY = 500; // ms between two updates of what depends on the areas

/** Starts counting. Returns a function that stops it. */
export function watchAreas({ summaries, masks }: Store): () => void {
  let request = 0;
  let told = 0;
  let untold = false;
  const work = (deadline: IdleDeadline): void => {
    request = 0;
    let left = false;
    for (const [frame, { round, loaded, areas }] of summaries.peek().entries()) {
      if (!loaded || areas || round === null) continue;
      const mask = masks.peek(round, frame);
      if (!mask) continue;
      if (deadline.timeRemaining() < SPARE) {
        left = true;
        break;
      }
      countAreas(mask);
      untold = true;
    }
    const now = performance.now();
    if (untold && (!left || now - told > TELL_EVERY)) {
      [told, untold] = [now, false];
      masks.changed();
    } else if (left) request = requestIdleCallback(work);
  };
  const end = effect(() => {
    summaries.value; // subscribes to masks that arrive
    request ||= window.requestIdleCallback?.(work) ?? 0;
  });
  return () => {
    end();
    if (request) cancelIdleCallback(request);
  };
}
