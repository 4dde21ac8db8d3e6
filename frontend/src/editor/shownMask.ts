/**
 * Decides which masks the stage shows for a frame: the stored one, an answer of the engine that is only a preview, what
 * this person has painted over it, and the other round of a comparison.
 */
import { protectionIn } from "../actions/painting";
import { record } from "../canvas/metrics";
import { frameLabels } from "../masks/compose";
import type { DecodedMask } from "../masks/contour";
import type { PackedMask } from "../masks/decode";
import { sourceOf } from "../state/frameSummary";
import { type Line, lineOf } from "../state/line";
import { decodedOf, paintedLabels } from "../state/paintings";
import { previewOf } from "../state/preview";
import type { Studio } from "../studio/studio";
import type { PointerState } from "../tools/pointerState";

/** What is shown. `stored` is the stored mask, or a preview in place of it. `parts` are the values that it was made of: if they are the same, so is it. */
export interface ShownMask {
  frame: number;
  stored: PackedMask | null;
  parts: readonly unknown[];
}

const NONE: ReadonlyMap<number, number> = new Map();

export class MaskChoice {
  private made: { parts: readonly unknown[]; map: DecodedMask | null } = { parts: [], map: null };

  constructor(
    private readonly studio: Studio,
    private readonly pointer: PointerState,
  ) {}

  /**
   * Returns what to show for `frame`, or null to leave the screen as it is until a mask arrives. `shown` is the frame
   * that the mask layer shows now.
   */
  next(frame: number, shown: number): ShownMask | null {
    const { store } = this.studio;
    const kept = this.maskOn(frame, store.line.peek(), store.kept.peek(), shown);
    if (kept === undefined) return null;
    const now = store.looking.peek() === null;
    const stored = (now && previewOf(store.preview.peek(), frame, kept)) || kept;
    const live = this.pointer.painting.peek();
    const parts: unknown[] = [stored];
    if (now) {
      if (live?.frame === frame) return { frame, stored, parts: [live] };
      parts.push(...store.paintings.peek().filter((painting) => painting.frame === frame));
    }
    const compare = store.compare.peek();
    if (compare) {
      parts.push(this.maskOn(frame, this.lineFrom(compare.other), NONE, -1) ?? null, compare);
    }
    return { frame, stored, parts };
  }

  /** Returns the mask of the round before the shown one, which the changes view compares with. */
  before(frame: number): PackedMask | null {
    const { store } = this.studio;
    const base = store.shownBase.peek() ?? null;
    return this.maskOn(frame, this.lineFrom(base), NONE, -1) ?? null;
  }

  /** Returns the pixels of what `next` chose; null if the frame shows no mask. */
  mapOf(next: ShownMask): DecodedMask | null {
    if (sameParts(next.parts, this.made.parts)) return this.made.map;
    const map = this.make(next);
    this.made = { parts: next.parts, map };
    return map;
  }

  decode(mask: PackedMask): DecodedMask {
    const start = performance.now();
    const map = this.studio.store.masks.decode(mask);
    const ms = performance.now() - start;
    if (ms > 0.02) record("decodes", ms); // A faster result came from the cache.
    return map;
  }

  private make({ frame, stored }: ShownMask): DecodedMask | null {
    const { store } = this.studio;
    const video = store.video.peek();
    const live = this.pointer.painting.peek();
    if (!video) return null;
    const looking = store.looking.peek() !== null;
    if (live?.frame === frame && !looking) return decodedOf(live.labels, video);
    const here = looking ? [] : store.paintings.peek().filter((painting) => painting.frame === frame);
    const compare = store.compare.peek();
    if (here.length === 0 && !compare) return stored && this.decode(stored);
    const labels = paintedLabels(video, stored, here, protectionIn(store, frame));
    return decodedOf(compare ? this.compared(frame, labels) : labels, video);
  }

  /** Puts the mask of the other round in place of the shown one: left of the slider, or all of it. */
  private compared(frame: number, labels: Uint8Array): Uint8Array {
    const { store } = this.studio;
    const [compare, video] = [store.compare.peek(), store.video.peek()];
    if (!compare || !video) return labels;
    const stored = this.maskOn(frame, this.lineFrom(compare.other), NONE, -1);
    const other = stored ? frameLabels(this.decode(stored)) : new Uint8Array(labels.length);
    if (compare.way === "blink") return compare.turn ? other : labels;
    const columns = Math.round(compare.at * video.width);
    for (let row = 0, start = 0; row < video.height; row++, start += video.width)
      labels.set(other.subarray(start, start + columns), start);
    return labels;
  }

  private lineFrom(tip: number | null): Line {
    const { rounds, lines } = this.studio.store;
    return lineOf(rounds.peek(), tip, lines.peek());
  }

  /** Returns the mask of `frame` on `line`: null if there is none, undefined if it is not loaded yet. */
  private maskOn(
    frame: number,
    line: Line,
    kept: ReadonlyMap<number, number>,
    shown: number,
  ): PackedMask | null | undefined {
    const { store } = this.studio;
    const round = sourceOf(frame, store.rounds.peek(), line, kept, store.masks);
    if (round === null) return null;
    const mask = round === undefined ? undefined : store.masks.get(round, frame);
    if (mask) return mask;
    if (shown === frame) return undefined; // the old mask stays until the new one arrives
    for (const id of line.ids) {
      const older = store.masks.get(id, frame);
      if (older) return older;
    }
    return null;
  }
}

export function sameParts(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((part, index) => part === b[index]);
}
