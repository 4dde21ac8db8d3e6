/** Zoom, pan and fit: where the frame lies on the stage. A fitted frame follows the size of the stage. */
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import {
  type CanvasPoint,
  canvasPoint,
  type FramePoint,
  fitView,
  keepInReach,
  panBy,
  type Size,
  toFrame,
  type View,
  viewAround,
  zoomAt,
} from "./view";

export interface Placed {
  zoom: number | null; // null = fitted
  centre: FramePoint;
}

export class Stage {
  readonly fitted = signal(true);
  readonly view: ReadonlySignal<View>;
  private readonly frame: Signal<Size> = signal({ width: 16, height: 9 });
  private readonly stretch = signal(1); // the width of the video's pixels divided by their height
  private readonly size: Signal<Size> = signal({ width: 0, height: 0 });
  private readonly own = signal<View>({ scale: 1, x: 0, y: 0 });
  private waiting: Placed | null = null; // the view from before a reload, until the stage has a size

  constructor() {
    this.view = computed(() =>
      this.fitted.value ? fitView(this.frame.value, this.size.value, this.stretch.value) : this.own.value,
    );
  }

  get stageSize(): Size {
    return this.size.value;
  }

  get frameSize(): Size {
    return this.frame.value;
  }

  /** Sets the size of the stage. The centre of the view stays in the centre. */
  resize(size: Size): void {
    const before = this.size.peek();
    if (size.width === before.width && size.height === before.height) return;
    const centre = this.centre();
    this.size.value = size;
    if (this.waiting) this.place(this.waiting);
    else if (!this.fitted.peek()) this.set(this.around(centre, this.own.peek().scale));
  }

  /** Shows a video of this size. `stretch` is the width of its pixels divided by their height. */
  open(frame: Size, stretch = 1): void {
    this.frame.value = frame;
    this.stretch.value = stretch;
    if (this.waiting) this.place(this.waiting);
  }

  /** Restores an earlier view. */
  place(placed: Placed): void {
    if (placed.zoom === null) {
      this.fit();
      return;
    }
    this.waiting = placed;
    if (this.size.peek().width === 0 || this.frame.peek().width === 16) return;
    this.waiting = null;
    this.set(this.around(placed.centre, placed.zoom));
  }

  placed(): Placed {
    if (this.waiting) return this.waiting;
    return { zoom: this.fitted.value ? null : this.view.value.scale, centre: this.centre() };
  }

  fit(): void {
    this.waiting = null;
    this.fitted.value = true;
  }

  zoomTo(scale: number): void {
    this.set(this.around(this.centre(), scale));
  }

  zoomBy(factor: number, at: CanvasPoint = this.middle()): void {
    this.set(zoomAt(this.view.peek(), at, factor));
  }

  pan(dx: number, dy: number): void {
    this.set(panBy(this.view.peek(), dx, dy));
  }

  private around(centre: FramePoint, scale: number): View {
    return viewAround(centre, scale, this.size.peek(), this.stretch.peek());
  }

  private set(view: View): void {
    this.own.value = keepInReach(view, this.frame.peek(), this.size.peek());
    this.fitted.value = false;
  }

  private middle(): CanvasPoint {
    const { width, height } = this.size.peek();
    return canvasPoint(width / 2, height / 2);
  }

  private centre(): FramePoint {
    return toFrame(this.view.peek(), this.middle());
  }
}
