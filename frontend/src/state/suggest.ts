/**
 * The next frame to fix, with the reason. Lost objects come first, then the frames of lowest confidence. Neighbouring
 * frames are one suggestion: a correction in the worst of them reaches the others.
 */
import type { ObjectInfo } from "../protocol";
import type { FrameSummary } from "./frameSummary";
import { lostRanges } from "./lost";
import { covers, type Range } from "./ranges";

export interface Suggestion {
  /** The frame to go to: the worst of `span`, or the first one in which the object is lost. */
  frame: number;
  reason: string;
  /** The neighbouring frames that a correction in `frame` is expected to reach, both ends included. */
  span: Range;
  /** An object is lost there. */
  lost: boolean;
}

// From this confidence on a frame needs no fix. Confidence is the overlap (J) that the engine expects. The value is low
// enough that few good masks are below it: a hint that is always shown would be ignored.
export const SURE = 0.7;
// Frames to fix that are at most this far apart belong to one suggestion.
const REACH = 3;

export function needsFix(summary: FrameSummary | undefined): boolean {
  return summary?.confidence !== null && summary?.confidence !== undefined && summary.confidence < SURE;
}

/** What was already shown or skipped: by frame, the confidence that the frame had then, 0 where an object was lost. */
export type Shown = ReadonlyMap<number, number>;

export interface Question {
  summaries: readonly FrameSummary[];
  /** The summaries at the round before, which say what has changed. */
  before: readonly FrameSummary[];
  objects: readonly ObjectInfo[];
  accepted: ReadonlyMap<number, number>;
  /** By object number, the ranges in which it cannot be lost. */
  absent: ReadonlyMap<number, readonly Range[]>;
  /** The share of an object's pixels that the newest round has changed in a frame, 0..1; null if that is not known. */
  moved: (frame: number, object: number) => number | null;
  /** The frame in view, which is never suggested. */
  at: number;
  shown: Shown;
}

// A frame that was shown is suggested again only if its confidence fell by this much.
const WORSE = 0.05;

/** Returns what to fix next, null if nothing needs it. Of equally bad places it returns the nearest. */
export function suggest(question: Question): Suggestion | null {
  return suggestLost(question) ?? suggestUnsure(question);
}

function open({ accepted, at, shown }: Question, frame: number, confidence: number): boolean {
  if (frame === at || accepted.has(frame)) return false;
  const then = shown.get(frame);
  return then === undefined || confidence < then - WORSE;
}

function suggestLost(question: Question): Suggestion | null {
  const { summaries, objects, absent, accepted, at } = question;
  let best: { span: Range; object: ObjectInfo } | null = null;
  for (const object of objects)
    for (const range of lostRanges(summaries, object.number, absent.get(object.number) ?? [])) {
      if (covers([range], at) || accepted.has(range[0]) || !open(question, range[0], 0)) continue;
      if (!best || Math.abs(range[0] - at) < Math.abs(best.span[0] - at)) best = { span: range, object };
    }
  if (!best) return null;
  const [first, last] = best.span;
  const until = last === summaries.length - 1 ? "" : ` to ${last}`;
  return {
    frame: first,
    span: best.span,
    lost: true,
    reason: `“${best.object.name}” is lost from ${first}${until}`,
  };
}

function suggestUnsure(question: Question): Suggestion | null {
  const { summaries, at } = question;
  let best: { span: Range; frame: number; score: number } | null = null;
  for (const span of unsureSpans(question)) {
    let frame = span[0];
    for (let other = span[0]; other <= span[1]; other++)
      if (sureOf(summaries[other]) < sureOf(summaries[frame])) frame = other;
    if (covers([span], at) || !open(question, frame, sureOf(summaries[frame]))) continue;
    const score = sureOf(summaries[frame]) + Math.abs(frame - at) * 1e-6;
    if (!best || score < best.score) best = { span, frame, score };
  }
  return best && { frame: best.frame, span: best.span, lost: false, reason: reasonOf(question, best.frame) };
}

function sureOf(summary: FrameSummary | undefined): number {
  return summary?.confidence ?? 1;
}

/** Groups the frames to fix that are at most REACH apart. */
function unsureSpans({ summaries, accepted }: Question): Range[] {
  const spans: [number, number][] = [];
  summaries.forEach((summary, frame) => {
    if (!needsFix(summary) || accepted.has(frame)) return;
    const last = spans.at(-1);
    if (last && frame - last[1] <= REACH) last[1] = frame;
    else spans.push([frame, frame]);
  });
  return spans;
}

// A smaller change of the edges is not worth a word.
const MOVED = 0.1;

/** "61 % sure of “bike”, edges moved 34 % in this round" */
function reasonOf({ summaries, before, objects, moved }: Question, frame: number): string {
  const summary = summaries[frame];
  const now = Math.round(sureOf(summary) * 100);
  const object = summary?.weakest ?? 0;
  const name = objects.find(({ number }) => number === object)?.name ?? `object ${object}`;
  const sure = `${now} % sure of “${name}”`;
  const edges = moved(frame, object);
  if (edges !== null && edges >= MOVED) return `${sure}, edges moved ${Math.round(edges * 100)} %`;
  const then = before[frame]?.confidence;
  const fell = then === null || then === undefined ? 0 : Math.round(then * 100) - now;
  return fell >= 5 ? `${sure}, ${fell} less than a round before` : sure;
}
