/** Objects that a person accepted or rejected by themselves in some frames, while the others there are still open. */
import type { MaskStore } from "../masks/store";
import type { AcceptedObjectSpan, PinInfo } from "../protocol";
import type { FrameSummary } from "./frameSummary";
import { type Line, membersOf } from "./line";
import { covers, type Range } from "./ranges";

type ByObject = ReadonlyMap<number, readonly Range[]>;

/** Returns by object where it is accepted: in spans whose round is on the line. Neighbouring spans become one. */
export function acceptedOn(spans: ReadonlyMap<number, readonly AcceptedObjectSpan[]>, line: Line): ByObject {
  const onLine = membersOf(line);
  const found = new Map<number, Range[]>();
  for (const [number, all] of spans) {
    const ranges: [number, number][] = [];
    for (const { first, last, round } of all) {
      if (!onLine(round)) continue;
      const end = ranges.at(-1);
      if (end && end[1] === first - 1) end[1] = last;
      else ranges.push([first, last]);
    }
    if (ranges.length > 0) found.set(number, ranges);
  }
  return found;
}

/** Returns where open pins say that an object is wrong. */
export function rejectedIn(pins: readonly PinInfo[], number: number): Range[] {
  return pins
    .filter(({ object, resolved_at }) => object === number && resolved_at === null)
    .map(({ frame, last }) => [frame, last ?? frame]);
}

/** Returns by object where it cannot be lost: where a person said that it is absent, or accepted it as it is. */
export function decidedOf(absent: ByObject, accepted: ByObject): ByObject {
  if (accepted.size === 0) return absent;
  const decided = new Map(absent);
  for (const [number, ranges] of accepted) decided.set(number, [...(absent.get(number) ?? []), ...ranges]);
  return decided;
}

/** Returns the summaries with the confidence of the objects that are not accepted singly in their frame. */
export function withoutAccepted(
  summaries: readonly FrameSummary[],
  accepted: ByObject,
  masks: MaskStore,
): readonly FrameSummary[] {
  if (accepted.size === 0) return summaries;
  return summaries.map((summary, frame) => {
    const { weakest, round } = summary;
    if (weakest === null || round === null || !covers(accepted.get(weakest) ?? [], frame)) return summary;
    const confidence = masks.peek(round, frame)?.confidence ?? [];
    let [least, found]: [number, number | null] = [256, null];
    for (const id of summary.ids) {
      const sure = confidence[id - 1];
      if (sure === undefined || sure >= least || covers(accepted.get(id) ?? [], frame)) continue;
      [least, found] = [sure, id];
    }
    return { ...summary, weakest: found, confidence: found === null ? null : least / 255 };
  });
}
