/**
 * Edits of masks over a span of frames, which a worker carries out without an engine, and spans in which an object is
 * absent. Each is undoable.
 */
import { newKey } from "../connection/key";
import { plural } from "../format";
import { toast, toastError } from "../parts/Toast";
import type { EditOp, ObjectInfo } from "../protocol";
import type { Range } from "../state/ranges";
import type { Studio } from "../studio/studio";
import { headStep } from "./head";
import { addObject } from "./objects";

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

/** Sends an edit. Its version can be undone like a round. */
export function editMasks(studio: Studio, { op, objects, span, source, into }: Edit): void {
  const { outbox, history } = studio;
  const [first, last] = span;
  const message = { type: "mask.edit" as const, key: newKey(), op, objects: [...objects], first, last };
  outbox
    .send({
      ...message,
      ...(source === undefined ? {} : { source }),
      ...(into === undefined ? {} : { into }),
    })
    .then(({ result }) => {
      if (result === null) return;
      toast({ text: `${DONE[op]} ${plural(last - first + 1, "frame")}.` });
      history.push({ name: `${op} of ${plural(last - first + 1, "frame")}`, ...headStep(studio, result) });
    }, toastError);
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

/** Says that an object (null: all) is not in the picture in a span, or takes that back. Undoable. */
export function markAbsent(studio: Studio, object: number | null, span: Range, absent: boolean): void {
  const [first, last] = span;
  const send = (value: boolean) =>
    studio.outbox
      .send({ type: "span.absent", key: newKey(), object, first, last, absent: value })
      .catch(toastError);
  send(absent);
  const frames = plural(last - first + 1, "frame");
  const can = () => studio.store.canDraw.value;
  studio.history.push({
    name: `${absent ? "marking" : "unmarking"} ${frames} as absent`,
    undoable: can,
    undo: () => send(!absent),
    redoable: can,
    redo: () => send(absent),
  });
  toast({ text: absent ? `Absent in ${frames}: no mask there.` : `No longer absent in ${frames}.` });
}

/** Whether an object is marked absent in the whole span. An effect that calls it runs again on a change. */
export function isAbsent({ store }: Studio, object: number, [first, last]: Range): boolean {
  return (store.absent.value.get(object) ?? []).some(([from, to]) => from <= first && to >= last);
}
