/**
 * Adding, renaming, recolouring, deleting and restoring objects, each undoable; hiding, locking and showing one
 * alone.
 */
import { newKey } from "../connection/key";
import { toast, toastError } from "../parts/Toast";
import type { ObjectInfo } from "../protocol";
import type { ViewSettings } from "../state/view";
import type { Studio } from "../studio/studio";
import { moveScribbles } from "./scribbles";

type Update = {
  name?: string;
  color?: string;
  deleted?: boolean;
  label?: number | null;
  locked?: boolean;
  position?: number;
};

// Colours that differ on a dark page and over frames. Neighbours in the list differ in hue and in lightness.
const COLORS = [
  "#4cc9f0",
  "#f72585",
  "#ffd166",
  "#06d6a0",
  "#b388ff",
  "#ff8c42",
  "#8ac926",
  "#ff5d8f",
  "#00b4d8",
  "#e9c46a",
  "#c77dff",
  "#90f1ef",
];

/** The name and colour that an object gets; `id` identifies the label on the server. */
type Label = { id?: number; name: string; color: string };

/** The label that an object got last in this video: a new object gets it too. */
function lastLabel({ store }: Studio): Label | undefined {
  const id = store.lastLabel.peek();
  return store.labels.peek().find((label) => label.id === id);
}

/**
 * Adds an object, which undo takes back. It exists and is selected at once, so that drawing does not wait for the server.
 * `then` is called with the object's id once the server has given it.
 */
export function addObject(studio: Studio, wanted?: Label, then?: (number: number) => void): void {
  const label = wanted ?? lastLabel(studio);
  const made = (number: number) => {
    studio.history.push({
      name: "new object",
      undoable: () => find(studio, number)?.deleted === false,
      undo: () => update(studio, number, { deleted: true }),
      redoable: () => find(studio, number)?.deleted ?? false,
      redo: () => update(studio, number, { deleted: false }),
    });
    then?.(number);
  };
  makeObject(studio, made, label);
}

/** Returns the id of the object to draw for: `number`, or a new object if the video has none. */
export function objectToDraw(studio: Studio, number: number): number {
  if (number === 0 || studio.store.alive.peek().length > 0) return number;
  return makeObject(studio, () => {});
}

/**
 * Creates and selects an object, and returns its id. The server counts upward and never uses an id twice, so the page can
 * predict the id, even offline. `made` is called with the id that the server gave.
 */
function makeObject(studio: Studio, made: (number: number) => void, label?: Label): number {
  const { store, outbox } = studio;
  const before = store.objects.peek();
  const number = 1 + Math.max(0, ...before.map((object) => object.number));
  // The server chooses a colour that no other object has. Until it answers, this one is shown.
  const color = label?.color ?? (COLORS[(number - 1) % COLORS.length] as string);
  const name = `${label?.name ?? "Object"} ${number}`;
  const object: ObjectInfo = {
    number,
    name,
    color,
    label: label?.id ?? null,
    deleted: false,
    locked: false,
    position: number,
  };
  store.objects.value = [...before, object];
  store.selected.value = number;
  if (label?.id !== undefined) store.lastLabel.value = label.id;
  outbox
    .send(
      {
        type: "object.add",
        key: newKey(),
        ...(label?.id === undefined ? {} : { label: label.id }),
      },
      number,
    )
    .then(
      ({ result }) => {
        // Two people created an object at the same time: the scribbles move to the id of this person's object.
        if (result !== null && result !== number) moveScribbles(studio, number, result);
        made(result ?? number);
      },
      (problem) => {
        store.objects.value = store.objects.peek().filter((other) => other !== object);
        toastError(problem);
      },
    );
  return number;
}

/** Changes the given fields. A name that consists of spaces is ignored. */
export function changeObject(studio: Studio, object: ObjectInfo, change: Update): void {
  const after: Update = { ...change };
  if (after.name !== undefined) after.name = after.name.trim().slice(0, 60);
  if (after.name === "" || sameAs(object, after)) return;
  const before = Object.fromEntries(
    Object.keys(after).map((field) => [field, object[field as keyof Update]]),
  ) as Update;
  if (after.label !== undefined && after.label !== null) studio.store.lastLabel.value = after.label;
  update(studio, object.number, after);
  const there = () => find(studio, object.number) !== undefined && studio.store.canDraw.value;
  studio.history.push({
    name: `${wordOf(after)} of ${object.name}`,
    undoable: there,
    undo: () => update(studio, object.number, before),
    redoable: there,
    redo: () => update(studio, object.number, after),
  });
}

function wordOf(change: Update): string {
  if (change.deleted !== undefined) return change.deleted ? "deletion" : "return";
  if (change.locked !== undefined) return change.locked ? "locking" : "unlocking";
  if (change.label !== undefined) return "label";
  if (change.position !== undefined) return "place";
  return change.name === undefined ? "colour" : "rename";
}

/** Moves an object one place up (-1) or down (1) in the list. */
export function moveObject(studio: Studio, object: ObjectInfo, by: -1 | 1): void {
  const { alive } = studio.store;
  const from = alive.peek().findIndex(({ number }) => number === object.number);
  const to = from + by;
  if (from < 0 || to < 0 || to >= alive.peek().length) return;
  update(studio, object.number, { position: to });
  const back = () => update(studio, object.number, { position: from });
  studio.history.push({
    name: `place of ${object.name}`,
    undoable: () => studio.store.canDraw.value,
    undo: back,
    redoable: () => studio.store.canDraw.value,
    redo: () => update(studio, object.number, { position: to }),
  });
}

export function deleteObject(studio: Studio, object: ObjectInfo): void {
  changeObject(studio, object, { deleted: true });
  toast({
    text: `“${object.name}” is deleted. Its masks are kept.`,
    action: {
      name: "Undo",
      perform: () => changeObject(studio, { ...object, deleted: true }, { deleted: false }),
    },
  });
}

export function toggleHidden(studio: Studio, number: number): void {
  setView(studio, (view) => ({ hidden: toggled(view.hidden, number) }));
}

/** Locks or unlocks an object for everybody: no scribble, round or edit changes the masks of a locked object. */
export function toggleLocked(studio: Studio, number: number): void {
  const object = find(studio, number);
  if (object) changeObject(studio, object, { locked: !object.locked });
}

export function toggleSolo(studio: Studio, number: number): void {
  setView(studio, (view) => ({ solo: view.solo === number ? null : number }));
}

export function setView({ store }: Studio, change: (view: ViewSettings) => Partial<ViewSettings>): void {
  const view = store.view.peek();
  store.view.value = { ...view, ...change(view) };
}

function update(studio: Studio, number: number, change: Update): void {
  studio.outbox.send({ type: "object.update", key: newKey(), number, ...change }).then(() => {
    studio.store.savedAt.value = new Date();
  }, toastError);
}

function find({ store }: Studio, number: number): ObjectInfo | undefined {
  return store.objects.value.find((object) => object.number === number);
}

function sameAs(object: ObjectInfo, change: Update): boolean {
  return Object.entries(change).every(([field, value]) => object[field as keyof Update] === value);
}

function toggled(numbers: readonly number[], number: number): readonly number[] {
  return numbers.includes(number) ? numbers.filter((other) => other !== number) : [...numbers, number];
}
