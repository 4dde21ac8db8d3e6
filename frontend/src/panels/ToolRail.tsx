/** The tools, to the left of the stage. */
import { useStudio } from "../studio/context";
import { TOOLS } from "../tools/tools";
import { CommandIcon } from "./CommandButton";
import css from "./ToolRail.module.css";

export function ToolRail() {
  return (
    <nav class={css.rail} aria-label="Tools" data-testid="tool-rail">
      <Tools draws />
      <hr />
      <Tools draws={false} />
      <CommandIcon id="view.fit" corner="^0" />
      <hr />
      <Undo />
      <span class={css.grow} />
      <CommandIcon id="view.theme" />
      <CommandIcon id="help.open" corner="?" />
    </nav>
  );
}

function Tools({ draws }: { draws: boolean }) {
  return TOOLS.filter((tool) => tool.draws === draws).map(({ name, keys }) => (
    <CommandIcon key={name} id={`tool.${name}`} {...(keys[0] && { corner: keys[0] })} />
  ));
}

/** Undo and redo, whose tooltips name the step. */
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
