/** The masks that the page has: all kept as they came (compressed, 1-2 kB), the last used ones decoded as well. */
import { type ReadonlySignal, signal } from "@preact/signals";
import { type DecodedMask, withContour } from "./contour";
import { decodeMask, type PackedMask } from "./decode";

const DECODED_BYTES = 96 * 1024 * 1024; // 100-200 kB a mask: some hundred frames

export class MaskStore {
  private readonly rounds = new Map<number, Map<number, PackedMask>>();
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

  has(round: number, frame: number): boolean {
    return this.rounds.get(round)?.has(frame) ?? false;
  }

  get(round: number, frame: number): PackedMask | undefined {
    return this.rounds.get(round)?.get(frame);
  }

  framesOf(round: number): Iterable<number> {
    return this.rounds.get(round)?.keys() ?? [];
  }

  /** A mask that is here already is left alone unless the new one has a higher number: newest wins. */
  add(masks: readonly PackedMask[]): void {
    for (const mask of masks) {
      const frames = this.rounds.get(mask.round) ?? new Map<number, PackedMask>();
      this.rounds.set(mask.round, frames);
      const old = frames.get(mask.frame);
      if (old && old.seq >= mask.seq) continue;
      frames.set(mask.frame, mask);
      this.announce();
    }
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

  private announce(): void {
    if (this.announced) return;
    this.announced = true;
    queueMicrotask(() => {
      this.announced = false;
      this.counter.value++;
    });
  }
}

function bytesOf(map: DecodedMask): number {
  return map.starts.byteLength + map.values.byteLength + map.rim.byteLength + map.rimCells.byteLength;
}
