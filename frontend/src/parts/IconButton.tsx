/** A button that shows only an icon. Its label is the tooltip and what a screen reader says. */
import type { LucideIcon } from "lucide-preact";
import css from "./IconButton.module.css";

export interface IconButtonProps {
  icon: LucideIcon;
  label: string;
  testid: string;
  onClick?: (event: MouseEvent) => void;
  hotkey?: string;
  /** A key that is shown in the corner while the pointer is on the button, as on the tool rail. */
  corner?: string;
  /** If given, the button is a toggle. */
  pressed?: boolean;
  size?: "normal" | "small";
  disabled?: boolean;
  tone?: "plain" | "bad";
}

export function IconButton(props: IconButtonProps) {
  const { icon: Icon, label, hotkey, size = "normal", tone = "plain" } = props;
  return (
    <button
      type="button"
      class={[css.button, css[size], css[tone]].filter(Boolean).join(" ")}
      data-testid={props.testid}
      data-key-shown={props.corner ? "" : undefined}
      aria-label={label}
      aria-pressed={props.pressed}
      aria-keyshortcuts={hotkey?.replace("Ctrl", "Control")}
      title={hotkey ? `${label} (${hotkey})` : label}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      <Icon size={size === "small" ? 15 : 18} aria-hidden="true" />
      {props.corner && (
        <small class={css.corner} aria-hidden="true">
          {props.corner}
        </small>
      )}
    </button>
  );
}
