/** The masks that the page has: all kept as they came (compressed, 1-2 kB), the last used ones decoded as well. */
import { type ReadonlySignal, signal } from "@preact/signals";
import { type CellMap, withDepth } from "./contour";
import { decodeMask, type PackedMask } from "./decode";

const DECODED_BYTES = 160 * 1024 * 1024; // about 130 frames of 480p whose box is the frame, 20 of 1080p

export class MaskStore {
  private readonly rounds = new Map<number, Map<number, PackedMask>>();
  private readonly decoded = new Map<PackedMask, CellMap>(); // in order of use, oldest first
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

  /** Decodes on demand (0.2-1 ms at 480p) and remembers. Raises MaskError on bytes that are no mask. */
  cells(mask: PackedMask): CellMap {
    const known = this.decoded.get(mask);
    if (known) {
      this.decoded.delete(mask);
      this.decoded.set(mask, known);
      return known;
    }
    const cells = withDepth(decodeMask(mask.data));
    this.decoded.set(mask, cells);
    this.decodedBytes += bytesOf(cells);
    for (const [old, map] of this.decoded) {
      if (this.decodedBytes <= DECODED_BYTES || old === mask) break;
      this.decoded.delete(old);
      this.decodedBytes -= bytesOf(map);
    }
    return cells;
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

function bytesOf(map: CellMap): number {
  return map.labels.byteLength + map.cells.byteLength;
}
