/** The key, or keys pressed together, that do the same as what stands beside them. */
import css from "./Kbd.module.css";

const GLYPHS: Record<string, string> = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Escape: "Esc",
  " ": "Space",
};

/** "Ctrl+Shift+Z" -> ["Ctrl", "Shift", "Z"]; a lone "+" stays. */
export function split(keys: string): string[] {
  const parts = keys === "+" ? ["+"] : keys.split("+").map((key) => key || "+");
  return parts.map((key) => GLYPHS[key] ?? (key.length === 1 ? key.toUpperCase() : key));
}

export function Kbd({ keys }: { keys: string }) {
  return <kbd class={css.kbd}>{split(keys).join(" ")}</kbd>;
}
