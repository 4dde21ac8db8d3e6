/** The tools, at the left of the picture. */
import { CommandIcon } from "./CommandButton";
import css from "./ToolRail.module.css";

export function ToolRail() {
  return (
    <nav class={css.rail} aria-label="Tools" data-testid="tool-rail">
      <CommandIcon id="tool.scribble" corner="S" />
      <CommandIcon id="tool.background" corner="0" />
      <CommandIcon id="tool.erase" corner="E" />
      <hr />
      <CommandIcon id="tool.pan" corner="P" />
      <CommandIcon id="view.fit" corner="^0" />
      <hr />
      <CommandIcon id="undo" corner="^Z" />
      <CommandIcon id="redo" corner="^Y" />
      <span class={css.grow} />
      <CommandIcon id="help.open" corner="?" />
    </nav>
  );
}
