/** The limits of the next round: in and out points on the timeline, its direction and its objects. */
import { toast } from "../parts/Toast";
import type { Range } from "../state/ranges";
import type { Limits, Scope } from "../state/scope";
import type { Studio } from "../studio/studio";

/**
 * Returns the frames between the in and the out point, null if neither is set.
 * An effect that calls it runs again on a change.
 */
export function markedSpan({ store }: Studio): Range | null {
  const { first, last } = store.scope.value;
  if (first === null && last === null) return null;
  return [first ?? 0, last ?? (store.video.value?.frame_count ?? 1) - 1];
}

/** Sets the in or the out point at the frame in view. The other point is dropped if it would be on the wrong side. */
export function mark(studio: Studio, which: "first" | "last"): void {
  const { store } = studio;
  const frame = store.frame.peek();
  const { first, last } = store.scope.peek();
  if (which === "first")
    setScope(studio, { first: frame, last: last !== null && last < frame ? null : last });
  else setScope(studio, { last: frame, first: first !== null && first > frame ? null : first });
}

export function setScope({ store }: Studio, change: Partial<Scope>): void {
  store.scope.value = { ...store.scope.peek(), ...change };
}

/** Makes the selected span the limits of the next round. */
export function scopeFromSelection(studio: Studio): void {
  const selected = studio.store.selection.peek();
  if (!selected) return;
  setScope(studio, { first: selected[0], last: selected[1] });
  toast({ text: `The next round changes frames ${selected[0]} to ${selected[1]} only.`, tone: "info" });
}

/** Returns the limits that the message of a round has, for a round with these drawn frames. */
export function limitsOf(studio: Studio, frames: readonly number[]): Limits {
  const { store } = studio;
  const { direction, untilNext, onlySelected, acrossCuts } = store.scope.peek();
  let span = markedSpan(studio);
  if (untilNext) {
    const last = (store.video.peek()?.frame_count ?? 1) - 1;
    span = untilNextFixed(
      [...store.drawn.peek(), ...store.accepted.peek().keys()],
      frames,
      span ?? [0, last],
    );
  }
  const selected = store.selected.peek();
  return {
    span: span ? [span[0], span[1]] : null,
    direction,
    objects: onlySelected && selected > 0 ? [selected] : null,
    across_cuts: acrossCuts,
  };
}

/** Cuts `span` off before the next frame of `fixed` on each side of the drawn frames. */
export function untilNextFixed(fixed: readonly number[], drawn: readonly number[], span: Range): Range {
  const [first, last] = [Math.min(...drawn), Math.max(...drawn)];
  const before = Math.max(span[0], ...fixed.filter((frame) => frame < first).map((frame) => frame + 1));
  const after = Math.min(span[1], ...fixed.filter((frame) => frame > last).map((frame) => frame - 1));
  return [before, after];
}
