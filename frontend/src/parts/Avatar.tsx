/** A person as a coloured circle with initials. The colour depends on the id, so it is the same everywhere. */
import css from "./Avatar.module.css";

/** Colours that are light enough for dark initials with a contrast of 4.5:1. */
const COLORS = ["#7aa2ff", "#2ec4b6", "#ffd166", "#f78fb3", "#b39dff", "#8fd14f", "#5ec8f2", "#ffa36b"];

export function colorOf(id: number): string {
  return COLORS[id % COLORS.length] as string;
}

export function initials(name: string): string {
  const words = name
    .trim()
    .split(/[\s._-]+/)
    .filter(Boolean);
  const first = words[0]?.[0] ?? "?";
  const second = words.length > 1 ? words[words.length - 1]?.[0] : words[0]?.[1];
  return (first + (second ?? "")).toUpperCase();
}

export interface AvatarProps {
  id: number;
  name: string;
  size?: number;
  /** Added to the tooltip, e.g. "frame 28". */
  note?: string;
}

export function Avatar({ id, name, size = 26, note }: AvatarProps) {
  const title = note ? `${name} · ${note}` : name;
  return (
    <span
      class={css.avatar}
      style={{
        width: `${size}px`,
        height: `${size}px`,
        fontSize: `${Math.round(size * 0.41)}px`,
        background: colorOf(id),
      }}
      role="img"
      aria-label={title}
      title={title}
    >
      {initials(name)}
    </span>
  );
}
