/** The order in which a reviewer looks at a video: what is lost, unsure or changed comes first, then the rest. */
import type { ObjectInfo } from "../protocol";
import type { FrameSummary } from "./frameSummary";
import { lostRanges } from "./lost";
import type { Range } from "./ranges";
import { needsFix } from "./suggest";

/** Neighbouring frames that are looked at together, and why. */
export interface Place {
  span: Range;
  reason: string;
}

export interface ReviewQuestion {
  first: number;
  last: number;
  summaries: readonly FrameSummary[];
  /** The summaries at the round before. */
  before: readonly FrameSummary[];
  objects: readonly ObjectInfo[];
  /** By object number, the ranges in which it cannot be lost. */
  absent: ReadonlyMap<number, readonly Range[]>;
  accepted: ReadonlyMap<number, number>;
  /** Frames that were looked at since the review began. */
  seen: ReadonlySet<number>;
}

const REACH = 3; // Frames of the same kind that are at most this far apart are one place.
const LONGEST = 60; // A place of frames that need nothing is at most this long, so that it can be taken in at once.

/** Returns the places that are still to be looked at. A frame is in one of them at most. */
export function placesOf(question: ReviewQuestion): Place[] {
  const { summaries, before, objects, absent } = question;
  const taken = new Set<number>();
  const open = (frame: number) =>
    !taken.has(frame) &&
    !question.seen.has(frame) &&
    !question.accepted.has(frame) &&
    (summaries[frame]?.round ?? null) !== null;
  const places: Place[] = [];
  const add = (reason: (span: Range) => string, is: (frame: number) => boolean, longest = Infinity) => {
    for (const span of grouped(question, open, is, longest)) {
      places.push({ span, reason: reason(span) });
      for (let frame = span[0]; frame <= span[1]; frame += 1) taken.add(frame);
    }
  };
  for (const { number, name } of objects) {
    const lost = lostRanges(summaries, number, absent.get(number) ?? []);
    add(
      () => `“${name}” is lost`,
      (frame) => lost.some(([first, last]) => first <= frame && frame <= last),
    );
  }
  add(
    (span) => leastSure(question, span),
    (frame) => needsFix(summaries[frame]),
  );
  add(
    () => "changed by the newest round",
    (frame) => (before[frame]?.round ?? null) !== null && before[frame]?.round !== summaries[frame]?.round,
  );
  add(
    () => "not looked at yet",
    () => true,
    LONGEST,
  );
  return places;
}

/** Groups open frames of a kind. Between two of them may be a few others that are open, too. */
function grouped(
  { first, last }: ReviewQuestion,
  open: (frame: number) => boolean,
  is: (frame: number) => boolean,
  longest: number,
): Range[] {
  const spans: [number, number][] = [];
  let end: [number, number] | null = null;
  for (let frame = first; frame <= last; frame += 1) {
    if (!open(frame)) end = null;
    else if (is(frame)) {
      if (end && frame - end[1] <= REACH && frame - end[0] < longest) end[1] = frame;
      else {
        end = [frame, frame];
        spans.push(end);
      }
    }
  }
  return spans;
}

function leastSure({ summaries, objects }: ReviewQuestion, [first, last]: Range): string {
  let least = summaries[first];
  for (let frame = first; frame <= last; frame += 1)
    if ((summaries[frame]?.confidence ?? 1) < (least?.confidence ?? 1)) least = summaries[frame];
  const name = objects.find(({ number }) => number === least?.weakest)?.name ?? `object ${least?.weakest}`;
  return `${Math.round((least?.confidence ?? 1) * 100)} % sure of “${name}”`;
}
