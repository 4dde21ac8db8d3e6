/** Strokes: saved when the pen is lifted, shown at once, removable until a round uses them. */
import { batch } from "@preact/signals";
import { newKey } from "../connection/key";
import { toastError } from "../parts/Toast";
import type { Point, ScribbleInfo } from "../protocol";
import { forgetStrokes } from "../state/reduce";
import type { Step } from "../state/undoHistory";
import type { Studio } from "../studio/studio";

// A stroke whose sending was repeated may be older than what the page knows; the log says within this time.
const LOG_WITHIN = 1000; // ms

/** Draws, and makes it undoable. `path` in 0..1 of the frame. */
export function draw(studio: Studio, frame: number, object: number, path: Point[]): void {
  const key = addStroke(studio, frame, object, path);
  studio.history.push(stepOf(studio, { key, frame, object, path }));
}

/** Undoes a stroke that this page has no step for, because it was drawn before a reload. */
export function takeBack(studio: Studio, stroke: ScribbleInfo): void {
  studio.history.takenBack(stepOf(studio, stroke));
  removeStroke(studio, stroke.key);
}

/** Removes a waiting stroke of one's own, undoably. */
export function eraseStroke(studio: Studio, stroke: ScribbleInfo): void {
  const { name, undoable, undo, redoable, redo } = stepOf(studio, stroke);
  removeStroke(studio, stroke.key);
  studio.history.push({
    name: `erasing of a ${name}`,
    undoable: redoable,
    undo: redo,
    redoable: undoable,
    redo: undo,
  });
}

/** Draws one's own waiting strokes of one object anew for another, all or those that `which` picks. */
export function moveStrokes(
  studio: Studio,
  from: number,
  to: number,
  which: (stroke: ScribbleInfo) => boolean = () => true,
): void {
  if (studio.store.selected.peek() === from) studio.store.selected.value = to;
  for (const stroke of studio.store.mine.peek().filter((other) => other.object === from && which(other))) {
    removeStroke(studio, stroke.key);
    addStroke(studio, stroke.frame, to, stroke.path);
  }
}

/** Drawing as a step. Each redo is a new stroke to the server, so the step follows the key that is current. */
function stepOf(studio: Studio, { key, frame, object, path }: Omit<ScribbleInfo, "author">): Step {
  let current = key;
  return {
    name: object === 0 ? "background scribble" : "scribble",
    undoable: () => studio.store.strokes.value.some((stroke) => stroke.key === current),
    undo: () => removeStroke(studio, current),
    redoable: () => studio.store.canDraw.value,
    redo: () => {
      current = addStroke(studio, frame, object, path);
    },
  };
}

function addStroke(studio: Studio, frame: number, object: number, path: Point[]): string {
  const { store, outbox } = studio;
  const key = newKey();
  const author = store.you.peek();
  if (!author) throw new Error("drawing before the server said who draws");
  const stroke: ScribbleInfo = { key, frame, object, path, author };
  store.unsaved.value = [...store.unsaved.peek(), stroke];
  outbox.send({ type: "scribble.add", key, frame, object, path }).then(
    ({ again }) => saved(studio, stroke, again),
    (problem) => {
      forgetStrokes(store, [key]);
      toastError(problem);
    },
  );
  return key;
}

/** The server has it. It stays on screen until the log's own `stroke.added` takes over. */
export function saved({ store }: Studio, stroke: ScribbleInfo, again: boolean): void {
  batch(() => {
    store.savedAt.value = new Date();
    const known = store.saved.value.some((other) => other.key === stroke.key);
    const waiting = store.unsaved.value.some((other) => other.key === stroke.key);
    if (again && !known) {
      setTimeout(() => dropUnsaved(), LOG_WITHIN);
      return;
    }
    if (waiting && !known) store.saved.value = [...store.saved.value, stroke];
    dropUnsaved();
  });

  function dropUnsaved(): void {
    store.unsaved.value = store.unsaved.value.filter((other) => other.key !== stroke.key);
  }
}

function removeStroke({ store, outbox }: Studio, stroke: string): void {
  store.removing.value = new Set(store.removing.peek()).add(stroke);
  const key = newKey();
  outbox.send({ type: "scribble.remove", key, scribble: stroke }).then(
    () => {
      forgetStrokes(store, [stroke]);
      store.savedAt.value = new Date();
    },
    (problem) => {
      store.removing.value = new Set([...store.removing.value].filter((other) => other !== stroke));
      toastError(problem);
    },
  );
}
