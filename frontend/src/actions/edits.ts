/**
 * Edits of masks over a span of frames, which a worker carries out without an engine, and spans in which an object is
 * absent. Each is undoable.
 */
import { newKey } from "../connection/key";
import { plural } from "../format";
import { toast, toastError } from "../parts/Toast";
import type { EditOp, MaskEdit, ObjectInfo } from "../protocol";
import { covers, type Range } from "../state/ranges";
import type { Store } from "../state/store";
import type { Studio } from "../studio/studio";
import { addObject } from "./objects";
import { tellIfKept } from "./offline";
import { settingStep } from "./settingStep";
import { versionStep } from "./versionStep";

export interface Edit {
  op: EditOp;
  objects: readonly number[];
  span: Range;
  /** The frame whose mask "copy" copies. */
  source?: number;
  /** The object that "merge" and "split" give the pixels to. */
  into?: number;
}

const DONE: Record<EditOp, string> = {
  clear: "Cleared",
  copy: "Copied the mask to",
  merge: "Merged in",
  swap: "Swapped in",
  split: "Split in",
  interpolate: "Interpolated",
};

const UNDO_NAMES: Partial<Record<EditOp, string>> = { clear: "clearing", interpolate: "interpolation" };

/** Sends an edit. Its version can be undone like a round. */
export function editMasks(studio: Studio, { op, objects, span, source, into }: Edit): void {
  const { store, outbox, history } = studio;
  const [first, last] = span;
  const changed: Range = op === "interpolate" ? [first + 1, last - 1] : span;
  const kept = acceptedFrames(store, [...objects, ...(into === undefined ? [] : [into])], changed);
  const absent = absentFrames(store, { op, objects, ...(into === undefined ? {} : { into }) }, changed);
  const frames = plural(changed[1] - changed[0] + 1 - kept - absent, "frame");
  const message: Omit<MaskEdit, "key"> = {
    type: "mask.edit",
    op,
    objects: [...objects],
    first,
    last,
    ...(source === undefined ? {} : { source }),
    ...(into === undefined ? {} : { into }),
  };
  const text = `${DONE[op]} ${frames}.${staying(kept)}${leftOut(absent)}`;
  const send = (key: string) =>
    outbox.send({ ...message, key }).then(
      ({ result }) => result,
      (problem) => {
        toastError(problem);
        return null;
      },
    );
  const name = `${UNDO_NAMES[op] ?? op} of ${frames}`;
  history.push({ name, ...versionStep(studio, send, () => toast({ text })) });
  tellIfKept(studio);
}

/** From the frame in view to the last one: where merging, swapping and splitting of ids begin. */
export function fromHereOn({ store }: Studio): Range {
  return [store.frame.peek(), (store.video.peek()?.frame_count ?? 1) - 1];
}

/** Gives the pixels of an object to a new object from the frame in view on: two things had the same id. */
export function splitFromHere(studio: Studio, object: ObjectInfo): void {
  const span = fromHereOn(studio);
  addObject(studio, undefined, (number) =>
    editMasks(studio, { op: "split", objects: [object.number], span, into: number }),
  );
}

/**
 * Says that an object (null: all that are not locked) is not in the picture in a span, or takes that back. Frames that
 * are accepted stay as they are. Undo brings back what was said of each frame before.
 */
export function markAbsent(studio: Studio, object: number | null, span: Range, absent: boolean): void {
  const { store, history } = studio;
  const [first, last] = span;
  const parts = changedParts(studio, object, span, absent);
  const key = newKey();
  const kept = acceptedFrames(store, object === null ? [] : [object], span);
  const frames = plural(last - first + 1 - kept, "frame");
  sendAbsent(studio, key, object, span, absent).then(() => {
    const text = absent ? `Absent in ${frames}: no mask there.` : `No longer absent in ${frames}.`;
    toast({ text: text + staying(kept) });
  }, toastError);
  tellIfKept(studio);
  if (parts.length === 0) return;
  const name = `${absent ? "marking" : "unmarking"} ${frames} as absent`;
  const send = (value: boolean) =>
    parts.map(({ object: of, part }) => {
      const another = newKey();
      sendAbsent(studio, another, of, part, value).catch(toastError);
      return another;
    });
  const isSet = (value: boolean) =>
    parts.every(({ object: of, part }) => isAbsent(studio, of, part) === value);
  history.push(settingStep(studio, { name, value: absent, key, send, isSet }));
}

function sendAbsent(
  { outbox }: Studio,
  key: string,
  object: number | null,
  [first, last]: Range,
  absent: boolean,
) {
  return outbox.send({ type: "span.absent", key, object, first, last, absent });
}

interface Part {
  readonly object: number;
  readonly part: Range;
}

/** Returns in which frames of a span, by object, it is not yet said that the object (null: all) is absent or not. */
function changedParts(
  { store }: Studio,
  object: number | null,
  [first, last]: Range,
  absent: boolean,
): Part[] {
  return openObjects(store, object).flatMap((number) => {
    const said = store.absent.peek().get(number) ?? [];
    const parts: [number, number][] = [];
    for (let frame = first; frame <= last; frame++) {
      if (covers(said, frame) === absent || isKept(store, [number], frame)) continue;
      const end = parts.at(-1);
      if (end && end[1] === frame - 1) end[1] = frame;
      else parts.push([frame, frame]);
    }
    return parts.map((part) => ({ object: number, part }));
  });
}

function openObjects({ alive }: Store, object: number | null): readonly number[] {
  if (object !== null) return [object];
  return alive.value.filter(({ locked }) => !locked).map(({ number }) => number);
}

/** Whether no edit changes these objects in a frame: it is accepted, or one of them is accepted there. */
function isKept(store: Store, objects: readonly number[], frame: number): boolean {
  if (store.accepted.peek().has(frame)) return true;
  return objects.some((number) => covers(store.acceptedObjects.peek().get(number) ?? [], frame));
}

/** Returns in how many frames of a span no edit changes these objects. */
function acceptedFrames(store: Store, objects: readonly number[], [first, last]: Range): number {
  let count = 0;
  for (let frame = first; frame <= last; frame++) if (isKept(store, objects, frame)) count++;
  return count;
}

/**
 * Returns in how many frames of a span, without those that are accepted, an edit changes nothing because the objects that
 * would get or give pixels are marked absent there. The server leaves these frames out.
 */
function absentFrames(
  store: Store,
  edit: Pick<Edit, "op" | "objects" | "into">,
  [first, last]: Range,
): number {
  const { op, objects, into } = edit;
  const isIn = (number: number, frame: number) => covers(store.absent.peek().get(number) ?? [], frame);
  const isLeftOut = (frame: number): boolean => {
    if (op === "clear") return false;
    if (op === "swap") return objects.some((number) => isIn(number, frame));
    return (into !== undefined && isIn(into, frame)) || objects.every((number) => isIn(number, frame));
  };
  const changed = into === undefined ? objects : [...objects, into];
  let count = 0;
  for (let frame = first; frame <= last; frame++)
    if (!isKept(store, changed, frame) && isLeftOut(frame)) count++;
  return count;
}

function leftOut(absent: number): string {
  if (absent === 0) return "";
  return ` ${plural(absent, "frame")} with an absent object ${absent === 1 ? "stays as it is" : "stay as they are"}.`;
}

function staying(accepted: number): string {
  if (accepted === 0) return "";
  return ` ${plural(accepted, "accepted frame")} ${accepted === 1 ? "stays as it is" : "stay as they are"}.`;
}

/**
 * Whether an object (null: each that is not locked) is marked absent in the whole span.
 * An effect that calls it runs again on a change.
 */
export function isAbsent({ store }: Studio, object: number | null, [first, last]: Range): boolean {
  const isIn = (number: number) =>
    (store.absent.value.get(number) ?? []).some(([from, to]) => from <= first && to >= last);
  const objects = openObjects(store, object);
  return objects.length > 0 && objects.every(isIn);
}
