/** What a welcome of the server begins: whose page this is, and what comes back of what was done before a reload. */
import { moveStrokes, saved } from "../actions/strokes";
import { type Answer, Refused } from "../connection/outbox";
import type { Keyed, Shelf } from "../connection/outboxStorage";
import { toast } from "../parts/Toast";
import type { ObjectInfo, ScribbleInfo, Welcome } from "../protocol";
import { forgetStrokes, reduce } from "../state/reduce";
import type { Store } from "../state/store";
import type { Studio } from "../studio/studio";

export const NOT_KEPT = {
  text: "This browser keeps nothing for Maskwright: strokes drawn while offline end with the page.",
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
    // Somebody else signed in meanwhile: what waits is not theirs. It stays on the shelf until its author is back.
    studio.close();
    reload();
    return;
  }
  reduce(store, message);
  if (!before) {
    try {
      await outbox.restore(await opening, message.you.id);
    } catch {
      toast(NOT_KEPT); // what is drawn still goes out; only a reload while offline would lose it
    }
  }
  outbox.flush();
}

/** Objects that are shown under the number that they were given before the reload, by the message that makes them. */
const awaited = new WeakMap<Keyed, ObjectInfo>();

/** A message from before a reload shows its effect again while it waits for its answer. */
export function restored(store: Store, message: Keyed, expected: number | null): void {
  const author = store.you.peek();
  if (message.type === "scribble.add" && author) {
    const { key, frame, object, path } = message;
    const stroke: ScribbleInfo = { key, frame, object, path, author };
    store.unsaved.value = [...store.unsaved.peek(), stroke];
  }
  if (message.type === "scribble.remove")
    store.removing.value = new Set(store.removing.peek()).add(message.scribble);
  if (message.type === "object.add" && expected !== null) {
    const others = store.objects.peek();
    if (others.some(({ number }) => number === expected)) return; // made by now, or somebody else's
    const name = `Object ${expected}`;
    const { color, label = null } = message;
    const object = { number: expected, name, color: color ?? "#4cc9f0", label, deleted: false };
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
  if (message.type === "scribble.add") {
    const stroke = store.unsaved.peek().find((other) => other.key === message.key);
    if (refusal) forgetStrokes(store, [message.key]);
    else if (stroke) saved(studio, stroke, true);
  }
  if (message.type === "scribble.remove") {
    if (refusal)
      store.removing.value = new Set([...store.removing.peek()].filter((key) => key !== message.scribble));
    else forgetStrokes(store, [message.scribble]);
  }
}

/** Somebody else took its number meanwhile: the strokes that came back with it go over to the one it got. */
function settledObject(studio: Studio, message: Keyed, outcome: Answer | Refused, expected: number): void {
  const { store, outbox } = studio;
  const number = outcome instanceof Refused ? null : outcome.result;
  if (number === expected) return;
  const shown = awaited.get(message);
  store.objects.value = store.objects.peek().filter((other) => other !== shown);
  // What is answered already was drawn for the other object, in another window say.
  if (number !== null) moveStrokes(studio, expected, number, ({ key }) => outbox.has(key));
}
