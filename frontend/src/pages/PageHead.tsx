/** The heading of a page, and beside it a sentence or a button. */
import type { ComponentChildren } from "preact";
import css from "./PageHead.module.css";

export function PageHead({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <header class={css.head}>
      <h1>{title}</h1>
      {children}
    </header>
  );
}
