/** What is done to a span of frames: accepting and releasing the masks of all of its frames in one step. */
import { plural } from "../format";
import { toast } from "../parts/Toast";
import type { Range } from "../state/ranges";
import type { Studio } from "../studio/studio";
import { acceptSpan } from "./head";
import { tellIfKept } from "./offline";
import { spanInUse } from "./selection";
import { settingStep } from "./settingStep";

/** Returns whether a frame shows a mask, as a function of the frame: a stored one, or one that this person has just painted. */
export function maskedFrames({ store }: Studio): (frame: number) => boolean {
  const summaries = store.summaries.value;
  const paintings = store.looking.value === null ? store.paintings.value : [];
  const painted = new Set(paintings.map(({ frame }) => frame));
  return (frame) => painted.has(frame) || (summaries[frame]?.round ?? null) !== null;
}

/** Returns the frames of `span` with a mask, in ranges: those that are accepted, and those that are not. */
export function acceptedParts(studio: Studio, [first, last]: Range): { yes: Range[]; no: Range[] } {
  const parts: Record<"yes" | "no", [number, number][]> = { yes: [], no: [] };
  const accepted = studio.store.accepted.value;
  const masked = maskedFrames(studio);
  for (let frame = first; frame <= last; frame++) {
    if (!accepted.has(frame) && !masked(frame)) continue;
    const ranges = parts[accepted.has(frame) ? "yes" : "no"];
    const end = ranges.at(-1);
    if (end && end[1] === frame - 1) end[1] = frame;
    else ranges.push([frame, frame]);
  }
  return parts;
}

/**
 * Whether the selected span, else the frame in view, is accepted wherever it has a mask.
 * An effect that calls it runs again on a change.
 */
export function isAccepted(studio: Studio): boolean {
  const { yes, no } = acceptedParts(studio, spanInUse(studio));
  return yes.length > 0 && no.length === 0;
}

/**
 * Whether the selected span, else the frame in view, has a mask to accept or to release.
 * An effect that calls it runs again on a change.
 */
export function canAccept(studio: Studio): boolean {
  const { yes, no } = acceptedParts(studio, spanInUse(studio));
  return yes.length + no.length > 0;
}

/** Accepts or releases `span`: without it the selected span, else the frame in view. It can be undone. */
export function acceptUsed(studio: Studio, accepted: boolean, span: Range = spanInUse(studio)): void {
  const { yes, no } = acceptedParts(studio, span);
  const changed = accepted ? no : yes;
  const count = changed.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  if (count === 0) {
    toast({ text: accepted ? "There is no mask to accept." : "Nothing is accepted there.", tone: "info" });
    return;
  }
  const word = accepted ? "accepting" : "releasing";
  const place = span[0] === span[1] ? `frame ${span[0]}` : plural(count, "frame");
  // The whole span is one message; only taking it back goes by the ranges that have changed.
  const key = acceptSpan(studio, span[0], span[1], accepted, (done) => {
    if (span[0] === span[1]) return;
    toast({ text: `${accepted ? "Accepted" : "Released"} ${plural(done, "frame")}.` });
  });
  tellIfKept(studio);
  const send = (value: boolean) => changed.map(([first, last]) => acceptSpan(studio, first, last, value));
  const isSet = (value: boolean) =>
    changed.every(([first]) => studio.store.accepted.value.has(first) === value);
  studio.history.push(settingStep(studio, { name: `${word} ${place}`, value: accepted, key, send, isSet }));
}
