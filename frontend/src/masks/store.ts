/** The masks that the page has, as they came (compressed, 1-2 kB); the last used ones decoded as well. */
import { type ReadonlySignal, signal } from "@preact/signals";
import { type DecodedMask, withContour } from "./contour";
import { decodeMask, type PackedMask } from "./decode";

const EACH = 256; // bytes that a mask takes beside its own, about
const DECODED_BYTES = 96 * 1024 * 1024; // 100-200 kB a mask: some hundred frames

interface Kept {
  frames: Map<number, PackedMask>;
  used: number; // rises with each use of the round
}

export class MaskStore {
  private readonly rounds = new Map<number, Kept>();
  private clock = 0;
  private packed = 0;
  private readonly decoded = new Map<PackedMask, DecodedMask>(); // in order of use, oldest first
  private decodedBytes = 0;
  private readonly counter = signal(0);
  private announced = false;
  /** Rounds of which a mask came over the socket: the rest of theirs will, too. */
  readonly streamed = new Set<number>();

  /** Rises after masks were added, once for all that came in one go. */
  get version(): ReadonlySignal<number> {
    return this.counter;
  }

  /** What all packed masks take. */
  get bytes(): number {
    return this.packed;
  }

  has(round: number, frame: number): boolean {
    return this.rounds.get(round)?.frames.has(frame) ?? false;
  }

  get(round: number, frame: number): PackedMask | undefined {
    const kept = this.rounds.get(round);
    if (kept) kept.used = ++this.clock;
    return kept?.frames.get(frame);
  }

  framesOf(round: number): Iterable<number> {
    return this.rounds.get(round)?.frames.keys() ?? [];
  }

  /** The rounds that have masks here, the one that was not used for longest first. */
  byUse(): number[] {
    return [...this.rounds].sort(([, a], [, b]) => a.used - b.used).map(([round]) => round);
  }

  /** A mask that is here already is left alone unless the new one has a higher number: newest wins. */
  add(masks: readonly PackedMask[]): void {
    for (const mask of masks) {
      const kept = this.rounds.get(mask.round) ?? { frames: new Map(), used: ++this.clock };
      this.rounds.set(mask.round, kept);
      const old = kept.frames.get(mask.frame);
      if (old && old.seq >= mask.seq) continue;
      if (old) this.forget(kept, old);
      kept.frames.set(mask.frame, mask);
      this.packed += sizeOf(mask);
      this.announce();
    }
  }

  /** Drops masks of `round`, not those that `wanted` names, until `limit` bytes are left or the round has none to drop. */
  drop(round: number, limit: number, wanted: (frame: number) => boolean): void {
    const kept = this.rounds.get(round);
    if (!kept) return;
    for (const [frame, mask] of kept.frames) {
      if (this.packed <= limit) return;
      if (wanted(frame)) continue;
      this.forget(kept, mask);
      this.streamed.delete(round); // what is dropped comes over HTTP alone
      this.announce();
    }
    if (kept.frames.size === 0) this.rounds.delete(round);
  }

  /** Decodes on demand (well below 1 ms at 480p) and remembers. Raises MaskError on bytes that are no mask. */
  decode(mask: PackedMask): DecodedMask {
    const known = this.decoded.get(mask);
    if (known) {
      this.decoded.delete(mask);
      this.decoded.set(mask, known);
      return known;
    }
    const map = withContour(decodeMask(mask.data));
    this.decoded.set(mask, map);
    this.decodedBytes += bytesOf(map);
    for (const [old, oldest] of this.decoded) {
      if (this.decodedBytes <= DECODED_BYTES || old === mask) break;
      this.decoded.delete(old);
      this.decodedBytes -= bytesOf(oldest);
    }
    return map;
  }

  private forget(kept: Kept, mask: PackedMask): void {
    kept.frames.delete(mask.frame);
    this.packed -= sizeOf(mask);
    const map = this.decoded.get(mask);
    if (!map) return;
    this.decoded.delete(mask);
    this.decodedBytes -= bytesOf(map);
  }

  private announce(): void {
    if (this.announced) return;
    this.announced = true;
    queueMicrotask(() => {
      this.announced = false;
      this.counter.value++;
    });
  }
}

function sizeOf(mask: PackedMask): number {
  return mask.data.byteLength + mask.confidence.byteLength + EACH;
}

function bytesOf(map: DecodedMask): number {
  return map.starts.byteLength + map.values.byteLength + map.rim.byteLength + map.rimCells.byteLength;
}
