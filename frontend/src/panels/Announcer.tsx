/**
 * Tells a screen reader what changes without a focus change: the frame, the tool, the object and how far a round is.
 * What changes fast, as the frame while somebody scrubs, is said once it rests.
 */
import { effect, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { RoundInfo } from "../protocol";
import type { Store } from "../state/store";
import { commandOf } from "../studio/command";
import { useStudio } from "../studio/context";
import type { Studio } from "../studio/studio";
import css from "./Announcer.module.css";
import { describe } from "./timeline/Track";

const RESTS = 500; // ms

export function Announcer() {
  const studio = useStudio();
  const text = useMemo(() => signal(""), []);
  useEffect(() => announce(studio, (words) => (text.value = words)), [studio]);
  return (
    <p class={css.heard} role="status" aria-live="polite" data-testid="announcer">
      {text.value}
    </p>
  );
}

/** Calls `say` with what has changed since it was called last. Returns a function that stops it. */
export function announce(studio: Studio, say: (words: string) => void): () => void {
  let said = wordsOf(studio);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = effect(() => {
    const now = wordsOf(studio);
    clearTimeout(timer);
    if (studio.store.playing.value) return;
    timer = setTimeout(() => {
      const changed = now.filter((word, index) => word && word !== said[index]);
      said = now;
      if (changed.length > 0) say(changed.join(". "));
    }, RESTS);
  });
  return () => {
    clearTimeout(timer);
    end();
  };
}

function wordsOf(studio: Studio): string[] {
  const { store, commands } = studio;
  const frame = store.frame.value;
  return [
    commandOf(commands, `tool.${store.tool.value}`).name,
    objectWords(store),
    [`Frame ${frame}`, ...describe(store, frame)].join(", "),
    roundWords(store.rounds.value.get(Math.max(...store.rounds.value.keys())) ?? null, store.active.value),
  ];
}

function objectWords({ alive, selected }: Store): string {
  if (selected.value === 0) return "Background";
  return alive.value.find(({ number }) => number === selected.value)?.name ?? "";
}

/** "Round 3, 50 percent": each quarter is said, and how a round ended. */
export function roundWords(newest: RoundInfo | null, active: RoundInfo | null): string {
  if (active?.state === "queued") return `Round ${active.number} waits`;
  if (active)
    return `Round ${active.number}, ${25 * Math.floor((4 * active.done) / Math.max(1, active.total))} percent`;
  if (newest?.origin !== "round") return "";
  if (newest.state === "failed") return `Round ${newest.number} failed. ${newest.error}`;
  return `Round ${newest.number} ${newest.state === "done" ? "is done" : "was stopped"}`;
}
