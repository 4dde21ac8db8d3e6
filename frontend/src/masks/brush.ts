/**
 * The brush: it covers the pixels along a line of dabs, each a disc whose radius may follow the pressure of a pen.
 *
 * A hard brush covers the pixels whose centre lies within its radius. A softer brush covers its core at once and the rest
 * of its disc little by little: each dab adds to what the dabs before it gave, and a pixel counts as painted from one
 * half on. So a quick stroke paints a narrow line, and rubbing over a place widens it.
 */
import { type Bitmap, type Box, boxWithin } from "./bitmap";

export interface Dab {
  readonly x: number; // pixels of the frame; the centre of the first pixel is 0.5, 0.5
  readonly y: number;
  readonly radius: number; // pixels of the frame, above 0
}

export const SMALLEST_BRUSH = 1; // diameter in pixels of the frame
export const LARGEST_BRUSH = 1000;

const SPACING = 0.25; // distance between two dabs of a soft brush, in radii
const FLOW = 0.25; // the most that a dab of a soft brush adds outside of its core
const PAINTED = 0.5;

/** Paints a stroke onto `target`, which keeps its other pixels. `value` is 1 to add pixels and 0 to take them away. */
export class BrushStroke {
  private last: Dab | null = null;
  private readonly coverage: Float32Array | null;

  /** `hardness` lies in 0..1: the part of the radius that is covered at once. */
  constructor(
    readonly target: Bitmap,
    private readonly value: 0 | 1,
    private readonly hardness: number,
  ) {
    this.coverage = hardness >= 1 ? null : new Float32Array(target.bits.length);
  }

  /** Continues the stroke to a dab, and returns the box in which pixels may have changed. */
  to(dab: Dab): Box {
    const from = this.last ?? dab;
    const first = this.last === null;
    this.last = dab;
    if (this.coverage) this.soften(this.coverage, from, dab, first);
    else this.fill(from, dab);
    return this.boxOf(from, dab);
  }

  private boxOf(a: Dab, b: Dab): Box {
    const radius = Math.max(a.radius, b.radius) + 1;
    return boxWithin(
      this.target,
      Math.min(a.x, b.x) - radius,
      Math.min(a.y, b.y) - radius,
      Math.max(a.x, b.x) + radius,
      Math.max(a.y, b.y) + radius,
    );
  }

  /** Covers every pixel whose centre is within the radius of the line from `a` to `b`. */
  private fill(a: Dab, b: Dab): void {
    const { bits, width } = this.target;
    const box = this.boxOf(a, b);
    const [dx, dy] = [b.x - a.x, b.y - a.y];
    const length = dx * dx + dy * dy;
    for (let y = box.y; y < box.y + box.h; y++)
      for (let x = box.x; x < box.x + box.w; x++) {
        const [px, py] = [x + 0.5 - a.x, y + 0.5 - a.y];
        const t = length === 0 ? 0 : Math.max(0, Math.min(1, (px * dx + py * dy) / length));
        const radius = Math.max(a.radius + t * (b.radius - a.radius), Math.SQRT1_2); // at least the pixel below it
        const [ex, ey] = [px - t * dx, py - t * dy];
        if (ex * ex + ey * ey <= radius * radius) bits[y * width + x] = this.value;
      }
  }

  private soften(coverage: Float32Array, a: Dab, b: Dab, first: boolean): void {
    const distance = Math.hypot(b.x - a.x, b.y - a.y);
    const steps = Math.max(1, Math.ceil(distance / Math.max(0.5, SPACING * Math.min(a.radius, b.radius))));
    for (let step = first ? 0 : 1; step <= (first ? 0 : steps); step++) {
      const t = step / steps;
      const between = (from: number, to: number): number => from + (to - from) * t;
      this.dab(coverage, between(a.x, b.x), between(a.y, b.y), between(a.radius, b.radius));
    }
  }

  private dab(coverage: Float32Array, cx: number, cy: number, radius: number): void {
    const { bits, width } = this.target;
    const core = Math.max(radius * this.hardness, Math.SQRT1_2);
    const box = boxWithin(this.target, cx - radius - 1, cy - radius - 1, cx + radius + 1, cy + radius + 1);
    for (let y = box.y; y < box.y + box.h; y++)
      for (let x = box.x; x < box.x + box.w; x++) {
        const distance = Math.hypot(x + 0.5 - cx, y + 0.5 - cy);
        if (distance > Math.max(radius, core)) continue;
        const at = y * width + x;
        const adds = distance <= core ? 1 : (FLOW * (radius - distance)) / Math.max(radius - core, 1e-6);
        const covered = 1 - (1 - (coverage[at] as number)) * (1 - adds);
        coverage[at] = covered;
        if (covered >= PAINTED) bits[at] = this.value;
      }
  }
}
