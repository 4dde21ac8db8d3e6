/** A key or a combination of keys, shown next to what it does. */
import css from "./Kbd.module.css";

const GLYPHS: Record<string, string> = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Escape: "Esc",
  " ": "Space",
};

/** Splits "Ctrl+Shift+Z" into ["Ctrl", "Shift", "Z"]; the key "+" alone stays. */
export function split(keys: string): string[] {
  const parts = keys === "+" ? ["+"] : keys.split("+").map((key) => key || "+");
  return parts.map((key) => GLYPHS[key] ?? (key.length === 1 ? key.toUpperCase() : key));
}

export function Kbd({ keys }: { keys: string }) {
  return <kbd class={css.kbd}>{split(keys).join(" ")}</kbd>;
}
