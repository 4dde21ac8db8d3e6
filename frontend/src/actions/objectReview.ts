/** Accepting and rejecting a single object in a span of frames, with undo. The other objects there stay as they are. */
import { newKey } from "../connection/key";
import { plural } from "../format";
import { toast, toastError } from "../parts/Toast";
import { covers, type Range } from "../state/ranges";
import type { Studio } from "../studio/studio";
import { whenSeen } from "./head";
import { settingStep } from "./settingStep";
import { maskedFrames } from "./spans";

/** Returns the frames of a span in which object `number` is accepted singly, and those in which it could be. */
export function objectParts(studio: Studio, number: number, [first, last]: Range) {
  const { store } = studio;
  const parts: Record<"yes" | "no", [number, number][]> = { yes: [], no: [] };
  const accepted = store.acceptedObjects.value.get(number) ?? [];
  const masked = maskedFrames(studio);
  for (let frame = first; frame <= last; frame++) {
    if (!masked(frame) || store.accepted.value.has(frame)) continue;
    const ranges = parts[covers(accepted, frame) ? "yes" : "no"];
    const end = ranges.at(-1);
    if (end && end[1] === frame - 1) end[1] = frame;
    else ranges.push([frame, frame]);
  }
  return parts;
}

/** Whether object `number` is accepted singly in all frames of the span that have a mask and are not accepted whole. */
export function isObjectAccepted(studio: Studio, number: number, span: Range): boolean {
  const { yes, no } = objectParts(studio, number, span);
  return yes.length > 0 && no.length === 0;
}

/**
 * Tells the server to accept or release an object in a span, as this page shows it. Calls `done` with the number of
 * frames in which the server has done so. Returns the key of the message.
 */
export function sendObject(
  studio: Studio,
  object: number,
  span: Range,
  accepted: boolean,
  done = (_count: number) => {},
): string {
  const [first, last] = span;
  const key = newKey();
  whenSeen(studio, span, accepted, (head, seen) => {
    studio.outbox
      .send({ type: "object.accept", key, object, first, last, accepted, head, seen })
      .then(({ result }) => done(result ?? 0), toastError);
  });
  return key;
}

/** Accepts or releases object `number` in a span. */
export function acceptObject(studio: Studio, number: number, span: Range, accepted: boolean): void {
  const { yes, no } = objectParts(studio, number, span);
  const changed = accepted ? no : yes;
  const count = changed.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  const name = nameOf(studio, number);
  if (count === 0) {
    toast({
      text: accepted ? nothingToAccept(studio, span) : `${name} is not accepted there.`,
      tone: "info",
    });
    return;
  }
  // The whole span is one message; only taking it back goes by the ranges that have changed.
  const key = sendObject(studio, number, span, accepted, (done) => {
    toast({ text: `${accepted ? "Accepted" : "Released"} ${name} in ${plural(done, "frame")}.` });
  });
  const send = (value: boolean) => changed.map((range) => sendObject(studio, number, range, value));
  const isSet = (value: boolean) =>
    changed.every((range) => isObjectAccepted(studio, number, range) === value);
  const step = `${accepted ? "accepting" : "releasing"} ${name}`;
  studio.history.push(settingStep(studio, { name: step, value: accepted, key, send, isSet }));
}

/** Says why a span has no mask of an object that could be accepted. */
function nothingToAccept({ store }: Studio, [first, last]: Range): string {
  for (let frame = first; frame <= last; frame++)
    if (store.accepted.peek().has(frame))
      return first === last
        ? "This frame is accepted already, with all of its objects."
        : "The frames that have a mask are accepted already, with all of their objects.";
  return "There is no mask to accept.";
}

/** Opens a pin about object `number` in a span: what is wrong there. The object is rejected once the pin is set. */
export function rejectObject({ store }: Studio, number: number, [first, last]: Range): void {
  store.playing.value = false;
  store.frame.value = first;
  store.pin.value = { frame: first, last: last > first ? last : null, object: number, x: null, y: null };
}

export function nameOf({ store }: Studio, number: number): string {
  return store.alive.peek().find((object) => object.number === number)?.name ?? `object ${number}`;
}
