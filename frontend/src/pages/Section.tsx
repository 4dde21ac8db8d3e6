/** A part of a page with a heading. */
import type { ComponentChildren } from "preact";
import css from "./Section.module.css";

export function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class={css.section}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}
