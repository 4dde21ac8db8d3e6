/** The row of the history that stands for the rounds that are not loaded, and loads the next of them. */
import { History } from "lucide-preact";
import { Button } from "../../parts/Button";
import { useStudio } from "../../studio/context";
import type { Studio } from "../../studio/studio";
import css from "../Rounds.module.css";

const NEAR = 120; // pixels between the end of what is seen and the end of the list

/** Asks for the next page of older rounds at the end of the list. One that has failed waits for the person to ask again. */
export function scrolledTo(studio: Studio, { scrollTop, clientHeight, scrollHeight }: HTMLElement): void {
  const isNearEnd = scrollTop > 0 && scrollTop + clientHeight > scrollHeight - NEAR;
  if (isNearEnd && studio.store.loading.peek() === "idle") showOlder(studio);
}

/** Asks for the next page of older rounds, also if it has failed before, unless it is on its way. */
export function showOlder({ store }: Studio): void {
  if (!store.older.peek() || store.loading.peek() === "busy") return;
  store.loading.value = "idle";
  store.pages.value = store.pagesHere.peek() + 1;
}

export function OlderRounds({ count }: { count: number }) {
  const studio = useStudio();
  const { loading } = studio.store;
  if (loading.value === "failed")
    return (
      <li class={css.failure} role="alert" data-testid="rounds-older-failed">
        <p>Older rounds could not be loaded.</p>
        <Button size="small" testid="rounds-older-retry" onClick={() => showOlder(studio)}>
          Try again
        </Button>
      </li>
    );
  const busy = loading.value === "busy";
  return (
    <li>
      <button
        type="button"
        class={css.fold}
        aria-busy={busy}
        data-testid="rounds-older"
        onClick={() => showOlder(studio)}
      >
        <History size={14} aria-hidden="true" />
        {busy ? "Loading older rounds …" : `Show older rounds (${count})`}
      </button>
    </li>
  );
}
