/**
 * Previews: the mask of the frame in view with the waiting scribbles, or with a click that hovering would make. The server
 * computes them between rounds, for this page alone, and stores nothing.
 */
import { computed, effect, untracked } from "@preact/signals";
import type { PackedMask } from "../masks/decode";
import type { Point } from "../protocol";
import type { Preview } from "../state/preview";
import type { Store } from "../state/store";
import type { Studio } from "../studio/studio";

export interface HoverClick {
  object: number;
  point: Point;
  positive: boolean;
}

const ARRIVED_AFTER = 200; // ms that a frame is in view before its preview is asked for
const HOVER_EVERY = 60; // ms between two questions while the pointer hovers
// A new question drops the one before it, so nothing is asked until that is answered, but not longer than this.
const ANSWERED_WITHIN = 2000; // ms

/** The place of the pointer about which nothing was asked yet, because an answer is on its way. */
const nextHover = new WeakMap<Store, HoverClick>();

/** Asks what a click below the pointer would give. Nothing is asked too often, or without a connection. */
export function previewClick(studio: Studio, click: HoverClick): void {
  const last = studio.store.preview.peek();
  const since = last?.of === "hover" ? performance.now() - last.asked : Number.POSITIVE_INFINITY;
  if (since < HOVER_EVERY || (last?.answered === false && since < ANSWERED_WITHIN)) {
    nextHover.set(studio.store, click);
    return;
  }
  nextHover.delete(studio.store);
  ask(studio, "hover", click);
}

/** Ends the preview of a hover; the one of the waiting scribbles is asked for again, if there are any. */
export function endHover(studio: Studio): void {
  nextHover.delete(studio.store);
  if (studio.store.preview.peek()?.of !== "hover") return;
  studio.store.preview.value = null;
  if (waitingHere(studio.store).length > 0) ask(studio, "drawn", null);
}

/** Shows an answer of the server if it still fits to what the person sees, and asks about where the pointer is by now. */
export function showPreview(studio: Studio, mask: PackedMask): void {
  const { store } = studio;
  const now = store.preview.peek();
  if (now?.frame !== mask.frame) return;
  store.preview.value = { ...now, mask, shown: now.drawn, answered: true };
  const click = nextHover.get(store);
  if (now.of === "hover" && click) previewClick(studio, click);
}

/**
 * Asks again whenever the waiting scribbles of the frame in view change, and drops the answer once they are gone. While a
 * round uses them, the preview stays until the round's mask of that frame is here. Returns a function that stops it.
 */
export function watchPreview(studio: Studio): () => void {
  const { store } = studio;
  // Compared as text: a scribble that was saved is another object, but the same question.
  const waiting = computed(() => waitingHere(store).join());
  let timer: ReturnType<typeof setTimeout> | undefined;
  let seen = store.frame.peek();
  let closed = false;
  const end = effect(() => {
    const wanted =
      waiting.value !== "" && !store.view.value.runOnRelease && store.connection.value === "live";
    const [head, looking, active, frame] = [
      store.head.value,
      store.looking.value,
      store.active.value?.id,
      store.frame.value,
    ];
    clearTimeout(timer);
    untracked(() => dropOutdated(store, waiting.peek() === ""));
    const arrived = frame !== seen;
    seen = frame;
    if (!wanted || looking !== null || active !== undefined) return;
    const askNow = (): void => {
      if (!closed && store.frame.peek() === frame && store.head.peek() === head) ask(studio, "drawn", null);
    };
    // While somebody goes through the frames, nothing is asked. The message with a new scribble is sent right after the
    // store has it, and the question has to follow it.
    if (arrived) timer = setTimeout(askNow, ARRIVED_AFTER);
    else queueMicrotask(askNow);
  });
  return () => {
    closed = true;
    clearTimeout(timer);
    end();
  };
}

/** Drops a preview of another frame, and one without waiting scribbles unless a round has just taken them. */
function dropOutdated({ preview, frame, active }: Store, nothingWaits: boolean): void {
  const now = preview.peek();
  if (!now) return;
  const round = active.peek();
  const used = round?.frame === now.frame || round?.drawn.includes(now.frame) === true;
  if (now.frame !== frame.peek() || (nothingWaits && !used && now.of === "drawn")) preview.value = null;
}

/**
 * Returns the keys of this person's waiting scribbles on the frame in view.
 * An effect that calls it runs again on a change.
 */
function waitingHere({ mine, frame }: Store): string[] {
  return mine.value.filter((scribble) => scribble.frame === frame.value).map(({ key }) => key);
}

/**
 * Tells the server on which frame a stroke has begun, so that it opens the video and computes what it needs of the frame
 * while the person draws. Nothing is asked if something was drawn there, because a preview has prepared the frame then.
 */
export function prepareFrame({ store, socket }: Studio): void {
  if (store.active.peek() || store.preview.peek()) return;
  const frame = store.frame.peek();
  if (store.mine.peek().some((scribble) => scribble.frame === frame)) return;
  socket.send({ type: "preview.ask", frame, engine: store.engine.peek(), click: null });
}

function ask({ store, socket }: Studio, of: Preview["of"], click: HoverClick | null): void {
  const frame = store.frame.peek();
  const before = store.preview.peek();
  const head = store.head.peek();
  // It is shown until the next answer, unless a version has changed the mask since.
  const kept = before?.frame === frame && before.head === head ? before : null;
  if (!socket.send({ type: "preview.ask", frame, engine: store.engine.peek(), click })) return;
  const drawn = waitingHere(store);
  const [mask, shown] = [kept?.mask ?? null, kept?.shown ?? []];
  store.preview.value = { frame, of, asked: performance.now(), answered: false, head, drawn, mask, shown };
}
