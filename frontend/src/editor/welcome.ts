/** Handles the server's first message: whose page this is, and which messages from before a reload are sent again. */
import { forgetPainting, paintingStored, restorePainting } from "../actions/painting";
import { moveScribbles, saved } from "../actions/scribbles";
import { type Answer, Refused } from "../connection/outbox";
import type { Keyed, Shelf } from "../connection/outboxStorage";
import { toast } from "../parts/Toast";
import type { ObjectInfo, ScribbleInfo, Welcome } from "../protocol";
import { forgetScribbles, reduce } from "../state/reduce";
import type { Store } from "../state/store";
import type { Studio } from "../studio/studio";

export const NOT_KEPT = {
  text: "This browser does not store data for Maskwright: scribbles that are drawn offline are lost when the page is closed.",
  tone: "bad",
} as const;

export async function welcome(
  studio: Studio,
  message: Welcome,
  opening: Promise<Shelf>,
  reload: () => void = () => location.reload(),
): Promise<void> {
  const { store, outbox } = studio;
  const before = store.you.peek();
  if (before && before.id !== message.you.id) {
    // Another person signed in meanwhile. Messages that wait belong to their author and stay in storage until they
    // return.
    studio.close();
    reload();
    return;
  }
  reduce(store, message);
  if (!before) {
    try {
      await outbox.restore(await opening, message.you.id);
    } catch {
      toast(NOT_KEPT); // Drawing still works. Only a reload while offline would lose it.
    }
  }
  outbox.flush();
}

/** The new objects, with the ids that the page gave them before the reload, by the key of the message that creates the object. */
const awaited = new WeakMap<Keyed, ObjectInfo>();

/** Shows the effect of a message from before a reload again, while the message waits for its answer. */
export function restored(store: Store, message: Keyed, expected: number | null): void {
  const author = store.you.peek();
  if (message.type === "scribble.add" && author) {
    const { key, frame, object, path } = message;
    const scribble: ScribbleInfo = { key, frame, object, path, kind: "scribble", positive: true, author };
    store.unsaved.value = [...store.unsaved.peek(), scribble];
  }
  if (message.type === "prompt.add" && author) {
    const { key, frame, object, kind, points, positive = true } = message;
    const prompt: ScribbleInfo = { key, frame, object, path: points, kind, positive, author };
    store.unsaved.value = [...store.unsaved.peek(), prompt];
  }
  if (message.type === "scribble.remove")
    store.removing.value = new Set(store.removing.peek()).add(message.scribble);
  if (message.type === "mask.paint") restorePainting(store, message);
  if (message.type === "object.add" && expected !== null) {
    const others = store.objects.peek();
    // The object exists by now, or another person's object took the id.
    if (others.some(({ number }) => number === expected)) return;
    const name = `Object ${expected}`;
    const { color, label = null } = message;
    const object = {
      number: expected,
      name,
      color: color ?? "#4cc9f0",
      label,
      deleted: false,
      locked: false,
      position: expected,
    };
    awaited.set(message, object);
    store.objects.value = [...others, object];
  }
}

export function settled(
  studio: Studio,
  message: Keyed,
  outcome: Answer | Refused,
  expected: number | null,
): void {
  const { store } = studio;
  const refusal = outcome instanceof Refused ? outcome : null;
  if (refusal) toast({ text: refusal.message, tone: "bad" });
  if (message.type === "object.add" && expected !== null) settledObject(studio, message, outcome, expected);
  if (message.type === "scribble.add" || message.type === "prompt.add") {
    const scribble = store.unsaved.peek().find((other) => other.key === message.key);
    if (refusal) forgetScribbles(store, [message.key]);
    else if (scribble) saved(studio, scribble, true);
  }
  if (message.type === "mask.paint") {
    if (outcome instanceof Refused) forgetPainting(store, message.key);
    else paintingStored(studio, message.key, outcome.result);
  }
  if (message.type === "scribble.remove") {
    if (refusal)
      store.removing.value = new Set([...store.removing.peek()].filter((key) => key !== message.scribble));
    else forgetScribbles(store, [message.scribble]);
  }
}

/** Another person's object took the expected id: restored scribbles move to the id that the server gave. */
function settledObject(studio: Studio, message: Keyed, outcome: Answer | Refused, expected: number): void {
  const { store, outbox } = studio;
  const number = outcome instanceof Refused ? null : outcome.result;
  if (number === expected) return;
  const shown = awaited.get(message);
  store.objects.value = store.objects.peek().filter((other) => other !== shown);
  // Scribbles that are already acknowledged were drawn for the other object, in another window for example.
  if (number !== null) moveScribbles(studio, expected, number, ({ key }) => outbox.has(key));
}
