/** Scribbles are saved when the pen is lifted, shown at once, and can be removed until a round uses them. */
import { batch } from "@preact/signals";
import { newKey } from "../connection/key";
import { toastError } from "../parts/Toast";
import type { Point, PromptAdd, RoundScribble, ScribbleAdd, ScribbleInfo } from "../protocol";
import { forgetScribbles } from "../state/reduce";
import type { Step } from "../state/undoHistory";
import type { Studio } from "../studio/studio";
import { toastRefusal } from "./leases";

// The effect of a message that was sent again may be older than the page's state. The change log tells within this
// time.
const LOG_WITHIN = 1000; // ms

/** What was drawn, without whose it is and its key. Coordinates are in 0..1 of the frame. */
type Drawn = Omit<ScribbleInfo, "key" | "author">;

/** Adds a scribble, which undo takes back. `path` has coordinates in 0..1 of the frame. */
export function draw(studio: Studio, frame: number, object: number, path: Point[]): void {
  add(studio, { frame, object, path, kind: "scribble", positive: true });
}

/** Adds a click (one point) or a box (two opposite corners), which undo takes back. It waits for a round like a scribble. */
export function addPrompt(
  studio: Studio,
  frame: number,
  object: number,
  prompt: { kind: "click" | "box"; points: Point[]; positive: boolean },
): void {
  const { kind, points, positive } = prompt;
  add(studio, { frame, object, path: points, kind, positive });
}

/** Adds scribbles again that a round has used. Undo takes them back. */
export function drawAgain(studio: Studio, { object_id, ...rest }: RoundScribble): void {
  add(studio, { ...rest, object: object_id });
}

function add(studio: Studio, drawn: Drawn): void {
  const key = addScribble(studio, drawn);
  studio.history.push(stepOf(studio, key, drawn));
}

/** Undoes a scribble that has no undo step because it was drawn before a reload. Returns the name of what was undone. */
export function takeBack(studio: Studio, scribble: ScribbleInfo): string {
  const step = stepOf(studio, scribble.key, scribble);
  studio.history.takenBack(step);
  removeScribble(studio, scribble.key);
  return step.name;
}

/** Removes a waiting scribble of this person. Undo brings it back. */
export function eraseScribble(studio: Studio, scribble: ScribbleInfo): void {
  const { name, undoable, undo, redoable, redo } = stepOf(studio, scribble.key, scribble);
  removeScribble(studio, scribble.key);
  studio.history.push({
    name: `erasing of a ${name}`,
    undoable: redoable,
    undo: redo,
    redoable: undoable,
    redo: undo,
  });
}

/** Moves waiting scribbles of this person from one object to another: all, or those that `which` selects. */
export function moveScribbles(
  studio: Studio,
  from: number,
  to: number,
  which: (scribble: ScribbleInfo) => boolean = () => true,
): void {
  if (studio.store.selected.peek() === from) studio.store.selected.value = to;
  for (const scribble of studio.store.mine.peek().filter((other) => other.object === from && which(other))) {
    removeScribble(studio, scribble.key);
    addScribble(studio, { ...scribble, object: to });
  }
}

/** Returns the undo step of a scribble. Each redo sends a new scribble, so the step keeps the current key. */
function stepOf(studio: Studio, key: string, drawn: Drawn): Step {
  let current = key;
  return {
    name: nameOf(drawn),
    undoable: () => studio.store.scribbles.value.some((scribble) => scribble.key === current),
    undo: () => removeScribble(studio, current),
    redoable: () => studio.store.canDraw.value,
    redo: () => {
      current = addScribble(studio, drawn);
    },
  };
}

function nameOf({ kind, object }: Drawn): string {
  if (kind !== "scribble") return kind;
  return object === 0 ? "background scribble" : "scribble";
}

function addScribble(studio: Studio, { frame, object, path, kind, positive }: Drawn): string {
  const { store, outbox } = studio;
  const key = newKey();
  const author = store.you.peek();
  if (!author) throw new Error("drawing before the server said who draws");
  const scribble: ScribbleInfo = { key, frame, object, path, kind, positive, author };
  store.unsaved.value = [...store.unsaved.peek(), scribble];
  const message: ScribbleAdd | PromptAdd =
    kind === "scribble"
      ? { type: "scribble.add", key, frame, object, path }
      : { type: "prompt.add", key, frame, object, kind, points: path, positive };
  outbox.send(message).then(
    ({ again }) => saved(studio, scribble, again),
    (problem) => {
      forgetScribbles(store, [key]);
      toastRefusal(studio, problem, object);
    },
  );
  return key;
}

/** Handles the acknowledgement. The scribble stays on screen until `scribble.added` of the change log replaces it. */
export function saved({ store }: Studio, scribble: ScribbleInfo, again: boolean): void {
  batch(() => {
    store.savedAt.value = new Date();
    const known = store.saved.value.some((other) => other.key === scribble.key);
    const waiting = store.unsaved.value.some((other) => other.key === scribble.key);
    if (again && !known) {
      setTimeout(() => dropUnsaved(), LOG_WITHIN);
      return;
    }
    if (waiting && !known) store.saved.value = [...store.saved.value, scribble];
    dropUnsaved();
  });

  function dropUnsaved(): void {
    store.unsaved.value = store.unsaved.value.filter((other) => other.key !== scribble.key);
  }
}

function removeScribble({ store, outbox }: Studio, scribble: string): void {
  store.removing.value = new Set(store.removing.peek()).add(scribble);
  const key = newKey();
  outbox.send({ type: "scribble.remove", key, scribble: scribble }).then(
    () => {
      forgetScribbles(store, [scribble]);
      store.savedAt.value = new Date();
    },
    (problem) => {
      store.removing.value = new Set([...store.removing.value].filter((other) => other !== scribble));
      toastError(problem);
    },
  );
}
