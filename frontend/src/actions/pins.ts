/** Pins: comments on a place of a frame, which are answered and resolved. */
import { call } from "../api/http";
import { newKey } from "../connection/key";
import { toastError } from "../parts/Toast";
import type { PinInfo } from "../protocol";
import type { Range } from "../state/ranges";
import { takePin } from "../state/reduce";
import type { PinDraft } from "../state/store";
import type { Studio } from "../studio/studio";
import { nameOf, objectParts, sendObject } from "./objectReview";
import { seek } from "./playback";

/** Calls the server, takes the pin that it answers, and returns whether that went well. */
async function change(studio: Studio, ask: () => Promise<PinInfo>): Promise<PinInfo | null> {
  try {
    const pin = await ask();
    takePin(studio.store, pin);
    return pin;
  } catch (error) {
    toastError(error);
    return null;
  }
}

export interface PinText {
  object: number | null;
  reason: string;
  text: string;
}

/** Sets a pin where the draft is. Returns whether it is set. */
export async function setPin(studio: Studio, draft: PinDraft, written: PinText): Promise<boolean> {
  const { store } = studio;
  const { frame, last } = draft;
  const { object } = written;
  const released = object === null ? [] : objectParts(studio, object, [frame, last ?? frame]).yes;
  const key = newKey(); // So that a call that is sent twice sets one pin.
  const pin = await change(studio, () =>
    call("POST", "/api/videos/{video_id}/pins", {
      path: { video_id: store.id },
      body: { ...draft, ...written, key },
    }),
  );
  if (!pin) return false;
  store.pin.value = pin.id;
  rememberRejection(studio, pin, released);
  return true;
}

/** Makes a rejection undoable: that resolves its pin, and accepts again what the pin has released. */
function rememberRejection(studio: Studio, pin: PinInfo, released: readonly Range[]): void {
  const { object } = pin;
  if (object === null) return;
  const { store, history } = studio;
  const isOpen = () => store.pins.value.some(({ id, resolved_at }) => id === pin.id && resolved_at === null);
  const set = async (resolved: boolean) => {
    await resolvePin(studio, pin, resolved);
    for (const range of released) sendObject(studio, object, range, resolved);
  };
  history.push({
    name: `rejecting ${nameOf(studio, object)}`,
    undoable: () => store.canDraw.value && isOpen(),
    undo: () => void set(true),
    redoable: () => store.canDraw.value && !isOpen(),
    redo: () => void set(false),
  });
}

export async function resolvePin(studio: Studio, pin: PinInfo, resolved: boolean): Promise<void> {
  await change(studio, () =>
    call("PATCH", "/api/pins/{pin_id}", { path: { pin_id: pin.id }, body: { resolved } }),
  );
}

/** Answers a pin. Returns whether the answer is there. */
export async function replyToPin(studio: Studio, pin: PinInfo, text: string): Promise<boolean> {
  const path = { pin_id: pin.id };
  return (
    (await change(studio, () => call("POST", "/api/pins/{pin_id}/replies", { path, body: { text } }))) !==
    null
  );
}

/** Goes to the frame of a pin and opens it. */
export function goToPin(studio: Studio, pin: PinInfo): void {
  seek(studio, pin.frame);
  studio.store.pin.value = pin.id;
}

/** Returns the open pin after the frame in view, or the first one; null if none is open. */
export function nextOpenPin({ store }: Studio): PinInfo | null {
  const open = store.pins.value.filter((pin) => pin.resolved_at === null);
  const at = open.findIndex(({ id }) => id === store.pin.value);
  if (at >= 0) return open[(at + 1) % open.length] ?? null;
  return open.find(({ frame }) => frame >= store.frame.value) ?? open[0] ?? null;
}
