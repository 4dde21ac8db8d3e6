/** The tools, to the left of the stage. */
import { useStudio } from "../studio/context";
import type { Tool } from "../tools/tool";
import { TOOLS } from "../tools/tools";
import { CommandIcon } from "./CommandButton";
import css from "./ToolRail.module.css";

export function ToolRail() {
  return (
    <nav class={css.rail} aria-label="Tools" data-testid="tool-rail">
      <Tools of={(tool) => tool.draws && !tool.paints} />
      <hr />
      <Tools of={(tool) => tool.paints ?? false} />
      <hr />
      <Tools of={(tool) => !tool.draws} />
      <CommandIcon id="view.fit" corner="^0" />
      <hr />
      <Undo />
      <span class={css.grow} />
      <CommandIcon id="view.theme" />
      <CommandIcon id="help.open" corner="?" />
    </nav>
  );
}

function Tools({ of }: { of: (tool: Tool) => boolean }) {
  return TOOLS.filter(of).map(({ name, keys }) => (
    <CommandIcon
      key={name}
      id={`tool.${name}`}
      {...(keys[0] && { corner: keys[0].replace("Shift+", "⇧") })}
    />
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
