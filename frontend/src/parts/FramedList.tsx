/** A list whose rows stand in one frame, with lines between them. */
import type { ComponentChildren } from "preact";
import css from "./FramedList.module.css";

export interface FramedListProps {
  testid: string;
  /** The rows: <li>. */
  children: ComponentChildren;
  label?: string;
  /** Lays out the rows otherwise, or sets the list apart from what follows. */
  class?: string | undefined;
}

export function FramedList({ testid, children, label, class: own }: FramedListProps) {
  return (
    <ul class={`${css.list} ${own ?? ""}`} data-testid={testid} aria-label={label}>
      {children}
    </ul>
  );
}

/** What a row says: a name, and a fainter line below it. It takes the room that the buttons beside it leave. */
export function RowText({ children, note }: { children: ComponentChildren; note?: ComponentChildren }) {
  return (
    <span class={css.text}>
      <b>{children}</b>
      {note && <small>{note}</small>}
    </span>
  );
}

/** Stands in place of a list while it is loaded. */
export function ListGhost() {
  return <div class={css.ghost} aria-busy="true" data-testid="state-loading" />;
}
