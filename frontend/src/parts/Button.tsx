/** A button with a name, perhaps an icon and the key that does the same. */
import type { LucideIcon } from "lucide-preact";
import type { ComponentChildren } from "preact";
import css from "./Button.module.css";
import { Kbd } from "./Kbd";

export interface ButtonProps {
  children: ComponentChildren;
  testid: string;
  onClick?: (event: MouseEvent) => void;
  /** accent: the one thing to do here. bad: it destroys. quiet: no border until hovered. */
  tone?: "plain" | "accent" | "quiet" | "bad";
  size?: "normal" | "small";
  icon?: LucideIcon;
  hotkey?: string;
  type?: "button" | "submit";
  disabled?: boolean;
  /** Shows that it is at work and takes no further click; its width stays. */
  busy?: boolean;
  title?: string;
  form?: string;
  autofocus?: boolean;
}

export function Button(props: ButtonProps) {
  const { tone = "plain", size = "normal", icon: Icon, hotkey, busy = false } = props;
  // A disabled element loses the focus, in a dialog to the page behind it: a busy one only ignores clicks, also
  // the one that Enter in a field of its form makes.
  const onClick = (event: MouseEvent) => {
    if (busy) event.preventDefault();
    else props.onClick?.(event);
  };
  return (
    <button
      type={props.type ?? "button"}
      class={[css.button, css[tone], css[size]].filter(Boolean).join(" ")}
      data-testid={props.testid}
      disabled={props.disabled && !busy}
      aria-disabled={busy || undefined}
      aria-busy={busy}
      aria-keyshortcuts={hotkey?.replace("Ctrl", "Control")}
      title={props.title}
      form={props.form}
      autofocus={props.autofocus}
      onClick={onClick}
    >
      {Icon && <Icon size={size === "small" ? 14 : 16} aria-hidden="true" />}
      <span>{props.children}</span>
      {hotkey && <Kbd keys={hotkey} />}
    </button>
  );
}
