/** Painting masks by hand. Each painting is shown at once, stored as a version of its own, and can be undone like a round. */
import { effect } from "@preact/signals";
import { newKey } from "../connection/key";
import { type Bitmap, samePixels } from "../masks/bitmap";
import { bitmapOf, type Over, type Protection } from "../masks/compose";
import type { PackedMask } from "../masks/decode";
import { base64Of, bytesOfBase64, encodeBitmap } from "../masks/encode";
import type { MaskPaint } from "../protocol";
import { sourceOf } from "../state/frameSummary";
import { type Painting, paintedLabels } from "../state/paintings";
import { previewOf } from "../state/preview";
import { covers } from "../state/ranges";
import type { Store } from "../state/store";
import type { Studio } from "../studio/studio";
import { ARRIVES_WITHIN, moveBackFrom, moveBackOnceMade, moveHead } from "./head";
import { toastRefusal } from "./leases";

/** Returns the objects whose pixels the setting "unlocked" protects. */
export function lockedObjects({ objects }: Store): Set<number> {
  const locked = objects.peek().filter((object) => object.locked);
  return new Set(locked.map(({ number }) => number));
}

/** Returns the objects whose pixels painting leaves alone in `frame`, as the server does. */
export function protectionIn(store: Store, frame: number): Protection {
  const accepted = new Set<number>();
  for (const { number } of store.alive.peek())
    if (covers(store.acceptedObjects.peek().get(number) ?? [], frame)) accepted.add(number);
  return { locked: lockedObjects(store), accepted };
}

/** Returns the mask that `frame` has at the head: null if it has none, undefined if it is not loaded yet. */
export function storedMask(store: Store, frame: number): PackedMask | null | undefined {
  const { rounds, headLine, accepted, masks } = store;
  const round = sourceOf(frame, rounds.peek(), headLine.peek(), accepted.peek(), masks);
  return round === null || round === undefined ? round : masks.get(round, frame);
}

/** What a frame shows: painting goes on from it. */
export interface Shown {
  readonly labels: Uint8Array; // row-major
  readonly scribbles: readonly string[]; // the keys of the waiting scribbles whose effect the labels have
}

/**
 * Returns what a frame shows at the head: the answer to waiting scribbles where there is one, else the stored mask, and
 * paintings over it. Undefined while the stored mask is not loaded.
 */
export function shownAt({ store }: Studio, frame: number): Shown | undefined {
  const stored = storedMask(store, frame);
  const preview = store.preview.peek();
  const answer = preview?.of === "drawn" ? previewOf(preview, frame, stored ?? null) : null;
  const labels = withPaintings(store, frame, answer ?? stored);
  return labels && { labels, scribbles: answer && preview ? preview.shown : [] };
}

function withPaintings(store: Store, frame: number, stored: PackedMask | null | undefined) {
  const video = store.video.peek();
  if (stored === undefined || !video) return undefined;
  const here = store.paintings.peek().filter((painting) => painting.frame === frame);
  return paintedLabels(video, stored, here, protectionIn(store, frame));
}

/** A painting that was sent: what its undo step has to know of it. */
interface Sent {
  readonly key: string;
  round: number | null; // the painted round, once the server has acknowledged it
  withdrawn: boolean; // it was undone before it was sent
  answered: Promise<number | null>; // resolves to the painted round, to null if it was refused
}

/**
 * Gives `object` new pixels in `frame`, which undo takes back. `name` says what was done: "painting". `before` is what the
 * frame showed when the stroke began; nothing happens if `pixels` is the same. Scribbles that it showed belong to the painting.
 */
export function paint(
  studio: Studio,
  frame: number,
  object: number,
  pixels: Bitmap,
  name: string,
  before: Shown | undefined,
): void {
  const { store, history } = studio;
  const { width, height } = pixels;
  if (before && samePixels(bitmapOf(before.labels, width, height, object), pixels)) return;
  const { paintOver } = store.view.peek();
  const scribbles = [...(before?.scribbles ?? [])];
  const what: Painted = { frame, object, data: encodeBitmap(pixels), over: paintOver, scribbles };
  let sent = send(studio, what);
  const info = () => (sent.round === null ? undefined : store.rounds.value.get(sent.round));
  history.push({
    name: `${name} of ${nameOf(store, object)}`,
    undoable: () => isShown(store, sent.key) || (sent.round !== null && store.head.value === sent.round),
    undo: () => undo(studio, sent),
    redoable: () => sent.withdrawn || (info() !== undefined && store.head.value === info()?.base),
    redo: () => {
      if (sent.withdrawn) sent = send(studio, what);
      else history.waitFor(moveHead(studio, sent.round));
    },
  });
}

function isShown(store: Store, key: string): boolean {
  return store.paintings.value.some((painting) => painting.key === key);
}

/**
 * Takes a painting back. One that was not sent yet never is. Otherwise the head moves back to the painting's base, as soon
 * as the server has answered.
 */
function undo(studio: Studio, sent: Sent): void {
  const { store, outbox, history } = studio;
  forgetPainting(store, sent.key);
  if (sent.round !== null) history.waitFor(moveBackFrom(studio, sent.round));
  else if (outbox.withdraw(sent.key)) sent.withdrawn = true;
  else history.waitFor(moveBackOnceMade(studio, sent.answered));
}

/** What the message of a painting says. */
interface Painted {
  readonly frame: number;
  readonly object: number;
  readonly data: Uint8Array;
  readonly over: Over;
  readonly scribbles: string[];
}

function send(studio: Studio, { frame, object, data, over, scribbles }: Painted): Sent {
  const { store, outbox } = studio;
  const key = newKey();
  const message: MaskPaint = {
    type: "mask.paint",
    key,
    frame,
    object,
    data: base64Of(data),
    over,
    scribbles,
  };
  showPainting(store, { key, frame, object, over, data, round: null });
  const answered = outbox.send(message).then(
    ({ result }) => {
      sent.round = result;
      paintingStored(studio, key, result);
      return result;
    },
    (problem) => {
      forgetPainting(store, key);
      toastRefusal(studio, problem, object);
      return null;
    },
  );
  const sent: Sent = { key, round: null, withdrawn: false, answered };
  return sent;
}

export function showPainting(store: Store, painting: Painting): void {
  store.paintings.value = [...store.paintings.peek(), painting];
}

/** Shows a painting from before a reload again. */
export function restorePainting(store: Store, { key, frame, object, over, data }: MaskPaint): void {
  showPainting(store, { key, frame, object, over, data: bytesOfBase64(data), round: null });
}

/** Handles the acknowledgement: the painting is shown until the painted round with its mask is here. */
export function paintingStored({ store }: Studio, key: string, round: number | null): void {
  store.savedAt.value = new Date();
  if (round === null) {
    forgetPainting(store, key);
    return;
  }
  store.paintings.value = store.paintings
    .peek()
    .map((painting) => (painting.key === key ? { ...painting, round } : painting));
  // If the painted round does not come (the head was moved, for example), the painting is no longer shown.
  setTimeout(() => forgetPainting(store, key), ARRIVES_WITHIN);
}

export function forgetPainting(store: Store, key: string): void {
  const others = store.paintings.peek().filter((painting) => painting.key !== key);
  if (others.length < store.paintings.peek().length) store.paintings.value = others;
}

/** Drops each painting whose painted round is on the line of the head and whose mask is loaded. Returns the end of it. */
export function watchPaintings({ store }: Studio): () => void {
  return effect(() => {
    store.masks.version.value; // follows masks that arrive
    const line = store.headLine.value.ids;
    const here = ({ round, frame }: Painting): boolean =>
      round !== null && line.includes(round) && store.masks.has(round, frame);
    const waiting = store.paintings.value.filter((painting) => !here(painting));
    if (waiting.length < store.paintings.peek().length) store.paintings.value = waiting;
  });
}

/** Returns the pixels of an object as the frame shows them; undefined while its mask is not loaded. */
export function pixelsOf(studio: Studio, frame: number, object: number): Bitmap | undefined {
  const labels = shownAt(studio, frame)?.labels;
  const video = studio.store.video.peek();
  return labels && video ? bitmapOf(labels, video.width, video.height, object) : undefined;
}

function nameOf({ objects }: Store, number: number): string {
  return objects.peek().find((object) => object.number === number)?.name ?? `object ${number}`;
}
