/** A named group of choices in the row above the picture. */
import type { ComponentChildren } from "preact";
import css from "./ToolOptions.module.css";

export function Choice({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <fieldset class={css.field}>
      <legend class={css.legend}>{name}</legend>
      <span aria-hidden="true">{name}</span>
      <span class={css.choices}>{children}</span>
    </fieldset>
  );
}
