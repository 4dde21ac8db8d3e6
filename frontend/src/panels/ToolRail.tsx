/** The tools, at the left of the picture. */
import { useStudio } from "../studio/context";
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
      <Undo />
      <span class={css.grow} />
      <CommandIcon id="help.open" corner="?" />
    </nav>
  );
}

/** Says in the tooltip what would be taken back. */
function Undo() {
  const { history } = useStudio();
  const [back, forward] = [history.nextUndo()?.name, history.nextRedo()?.name];
  return (
    <>
      <CommandIcon id="undo" corner="^Z" label={back ? `Undo ${back}` : "Undo"} />
      <CommandIcon id="redo" corner="^Y" label={forward ? `Redo ${forward}` : "Redo"} />
    </>
  );
}
