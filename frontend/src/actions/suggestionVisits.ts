/** Going to the frames that are suggested, back from them, and past them. */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Suggestion } from "../state/suggest";
import type { Studio } from "../studio/studio";
import { seek } from "./playback";

const MOST = 100;

export class SuggestionVisits {
  private readonly left = signal<readonly number[]>([]);
  readonly canGoBack: ReadonlySignal<boolean>;

  constructor(private readonly studio: Studio) {
    this.canGoBack = computed(() => this.left.value.length > 0);
  }

  next(): void {
    const { store } = this.studio;
    const suggestion = store.suggestion.peek();
    if (!suggestion) return;
    this.left.value = [...this.left.peek(), store.frame.peek()].slice(-MOST);
    this.seen(suggestion);
    seek(this.studio, suggestion.frame);
  }

  /** Goes to the frame from which `next` was called last. */
  back(): void {
    const frame = this.left.peek().at(-1);
    if (frame === undefined) return;
    this.left.value = this.left.peek().slice(0, -1);
    seek(this.studio, frame);
  }

  skip(): void {
    const suggestion = this.studio.store.suggestion.peek();
    if (suggestion) this.seen(suggestion);
  }

  private seen({ span, lost }: Suggestion): void {
    const { store } = this.studio;
    const shown = new Map(store.shown.peek());
    for (let frame = span[0]; frame <= span[1]; frame++)
      shown.set(frame, lost ? 0 : (store.summaries.peek()[frame]?.confidence ?? 0));
    store.shown.value = shown;
  }
}
