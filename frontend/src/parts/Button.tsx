/** A button with a text, and optionally an icon and a key. */
import type { LucideIcon } from "lucide-preact";
import type { ComponentChildren } from "preact";
import css from "./Button.module.css";
import { Kbd } from "./Kbd";

export interface ButtonProps {
  children: ComponentChildren;
  testid: string;
  onClick?: (event: MouseEvent) => void;
  /** accent: the main action. bad: a deletion. quiet: no border until the pointer is over it. */
  tone?: "plain" | "accent" | "quiet" | "bad";
  size?: "normal" | "small";
  icon?: LucideIcon;
  hotkey?: string;
  type?: "button" | "submit";
  disabled?: boolean;
  /** The button shows that its action runs, and ignores clicks. Its width stays the same. */
  busy?: boolean;
  title?: string;
  form?: string;
  autofocus?: boolean;
}

export function Button(props: ButtonProps) {
  const { tone = "plain", size = "normal", icon: Icon, hotkey, busy = false } = props;
  // A busy button is not disabled, because a disabled element loses the focus. It ignores clicks, including the one
  // that Enter in a field of its form causes.
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
