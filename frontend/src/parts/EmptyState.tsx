/** Shown if there is nothing to list: an icon, a title, a sentence, and optionally a button. */
import type { LucideIcon } from "lucide-preact";
import type { ComponentChildren } from "preact";
import css from "./EmptyState.module.css";

export interface EmptyStateProps {
  icon: LucideIcon;
  title: string;
  children: ComponentChildren;
  testid: string;
  action?: ComponentChildren;
  tone?: "plain" | "bad";
}

export function EmptyState({ icon: Icon, title, children, testid, action, tone = "plain" }: EmptyStateProps) {
  return (
    <div class={css.empty} data-testid={testid} role={tone === "bad" ? "alert" : undefined}>
      <span class={`${css.icon} ${css[tone]}`}>
        <Icon size={26} strokeWidth={1.6} aria-hidden="true" />
      </span>
      <h2>{title}</h2>
      <p>{children}</p>
      {action && <div class={css.action}>{action}</div>}
    </div>
  );
}
