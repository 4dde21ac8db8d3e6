/** The loaded masks, compressed as they arrived (1-2 kB each). Recently used masks are kept decoded as well. */
import { type ReadonlySignal, signal } from "@preact/signals";
import { type DecodedMask, withContour } from "./contour";
import { decodeMask, type PackedMask } from "./decode";

const EACH = 256; // approximate overhead of a mask in memory
const DECODED_BYTES = 96 * 1024 * 1024; // some hundred masks of 100-200 kB

interface Kept {
  frames: Map<number, PackedMask>;
  used: number; // increases with each use of the round
}

export class MaskStore {
  private readonly rounds = new Map<number, Kept>();
  private clock = 0;
  private packed = 0;
  private readonly decoded = new Map<PackedMask, DecodedMask>(); // in order of use, oldest first
  private decodedBytes = 0;
  private readonly counter = signal(0);
  private announced = false;
  /** Rounds whose masks arrive over the socket. */
  readonly streamed = new Set<number>();

  /** Increases after masks were added, once per batch. */
  get version(): ReadonlySignal<number> {
    return this.counter;
  }

  /** Bytes that all packed masks take. */
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

  /** Like `get`, without counting as a use of the round. */
  peek(round: number, frame: number): PackedMask | undefined {
    return this.rounds.get(round)?.frames.get(frame);
  }

  /** Says that something was found out about masks that are here, such as the areas of their objects. */
  changed(): void {
    this.announce();
  }

  framesOf(round: number): Iterable<number> {
    return this.rounds.get(round)?.frames.keys() ?? [];
  }

  /** The rounds with loaded masks, least recently used first. */
  byUse(): number[] {
    return [...this.rounds].sort(([, a], [, b]) => a.used - b.used).map(([round]) => round);
  }

  /** Adds masks. A loaded mask of the same frame and round is replaced only by one with a higher number. */
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

  /**
   * Drops masks of `round` that `wanted` does not name, until at most `limit` bytes are used or none is left to drop.
   */
  drop(round: number, limit: number, wanted: (frame: number) => boolean): void {
    const kept = this.rounds.get(round);
    if (!kept) return;
    for (const [frame, mask] of kept.frames) {
      if (this.packed <= limit) return;
      if (wanted(frame)) continue;
      this.forget(kept, mask);
      this.streamed.delete(round); // dropped masks are loaded over HTTP only
      this.announce();
    }
    if (kept.frames.size === 0) this.rounds.delete(round);
  }

  /** Decodes a mask (below 1 ms at 480p) and caches the result. Throws MaskError if the bytes are no mask. */
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
