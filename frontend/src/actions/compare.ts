/** Comparing the shown masks with those of another round: beside each other with a slider, or in turn. */
import { effect } from "@preact/signals";
import { SplitSquareHorizontal } from "lucide-preact";
import type { Compare } from "../state/compare";
import type { CommandSpec } from "../studio/command";
import type { Studio } from "../studio/studio";

const BLINK = 600; // ms that each of the two rounds is shown

/** Begins or changes the comparison. The other round is at first the one before the shown one. */
export function compareWith({ store }: Studio, change: Partial<Compare>): void {
  const other = store.shownBase.peek() ?? null;
  const now =
    store.compare.peek() ?? (other === null ? null : { other, way: "slider", at: 0.5, turn: false });
  if (now) store.compare.value = { ...now, ...change } as Compare;
}

export function endCompare({ store }: Studio): void {
  store.compare.value = null;
}

/** Shows the two rounds in turn while the comparison blinks. Returns a function that stops it. */
export function watchBlink({ store }: Studio): () => void {
  let timer: ReturnType<typeof setInterval> | undefined;
  let way: string | undefined;
  const end = effect(() => {
    const wanted = store.compare.value?.way;
    if (wanted === way) return;
    way = wanted;
    clearInterval(timer);
    if (wanted !== "blink") return;
    timer = setInterval(() => {
      const now = store.compare.peek();
      if (now) store.compare.value = { ...now, turn: !now.turn };
    }, BLINK);
  });
  return () => {
    clearInterval(timer);
    end();
  };
}

export function compareCommands(studio: Studio): CommandSpec[] {
  const { store } = studio;
  return [
    {
      id: "view.beside",
      name: "Compare two rounds: slider, blink, off",
      group: "View",
      icon: SplitSquareHorizontal,
      keys: ["Y"],
      enabled: () => typeof store.shownBase.value === "number" || store.compare.value !== null,
      pressed: () => store.compare.value !== null,
      perform: () => {
        const way = store.compare.peek()?.way;
        if (way === "blink") endCompare(studio);
        else compareWith(studio, { way: way === "slider" ? "blink" : "slider" });
      },
    },
  ];
}
