/**
 * What the painting tools share: a stroke that changes the pixels of one object, shown on the frame while it lasts, and
 * stored when it ends.
 */

import { objectToDraw } from "../actions/objects";
import { paint, protectionIn, type Shown, shownAt } from "../actions/painting";
import { refusal } from "../actions/refusal";
import { type Bitmap, copyOf } from "../masks/bitmap";
import { applyBitmap, bitmapOf } from "../masks/compose";
import { toast } from "../parts/Toast";
import type { Studio } from "../studio/studio";
import type { PointerState } from "./pointerState";

const LOADING = "The mask of this frame is still loading. Paint in a moment.";

/** The pixels of the selected object in the frame in view, while a tool changes them. */
export class Painter {
  private constructor(
    private readonly studio: Studio,
    private readonly pointer: PointerState,
    readonly frame: number,
    readonly object: number,
    private readonly before: Shown, // what the frame showed before the stroke
    /** The object's pixels; the tool changes them and then calls `show`. */
    readonly pixels: Bitmap,
  ) {}

  /** Returns null, and tells the person why, if the selected object cannot be painted here. */
  static begin(studio: Studio, pointer: PointerState): Painter | null {
    const { store } = studio;
    const video = store.video.peek();
    const frame = store.frame.peek();
    if (!video || refusal(studio, store.selected.peek(), "paint")) return null;
    const before = shownAt(studio, frame);
    if (!before) {
      toast({ text: LOADING, tone: "info" });
      return null;
    }
    const object = objectToDraw(studio, store.selected.peek());
    const pixels = bitmapOf(before.labels, video.width, video.height, object);
    return new Painter(studio, pointer, frame, object, before, pixels);
  }

  /** Shows the changed pixels on the frame. */
  show(): void {
    this.pointer.painting.value = { frame: this.frame, labels: this.labels() };
  }

  /** Takes back all changes to the pixels. */
  reset(): void {
    const { width, height } = this.pixels;
    this.pixels.bits.set(bitmapOf(this.before.labels, width, height, this.object).bits);
  }

  /** Stores the pixels as a version of the mask. `name` says what was done: "painting". */
  take(name: string): void {
    this.pointer.painting.value = null;
    const { width, height } = this.pixels;
    // Pixels of objects that are protected stay theirs, so that the object's mask is exactly what was shown.
    const pixels = bitmapOf(this.labels(), width, height, this.object);
    paint(this.studio, this.frame, this.object, pixels, name, this.before);
  }

  cancel(): void {
    this.pointer.painting.value = null;
  }

  /** Returns a copy of the pixels as they are now. */
  copy(): Bitmap {
    return copyOf(this.pixels);
  }

  private labels(): Uint8Array {
    const { store } = this.studio;
    const labels = this.before.labels.slice();
    applyBitmap(
      labels,
      this.object,
      this.pixels.bits,
      store.view.peek().paintOver,
      protectionIn(store, this.frame),
    );
    return labels;
  }
}
