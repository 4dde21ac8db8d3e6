/** The right panel: objects, rounds and view settings. In small windows it takes the place of the timeline. */
import { Button } from "../parts/Button";
import { commandOf } from "../studio/command";
import { useStudio } from "../studio/context";
import { Objects } from "./Objects";
import { PictureOptions } from "./PictureOptions";
import { Rounds } from "./Rounds";
import { SelectedObject } from "./SelectedObject";
import css from "./SidePanel.module.css";
import { ViewPanel } from "./ViewPanel";

export function SidePanel() {
  const { store, commands } = useStudio();
  return (
    <aside
      class={css.side}
      data-open={store.drawer.value}
      data-testid="side-panel"
      aria-label="Objects, rounds and view"
    >
      <Objects />
      <SelectedObject />
      <Rounds />
      <ViewPanel />
      <PictureOptions />
      <div class={css.export}>
        <Button testid="export-open-small" onClick={() => commandOf(commands, "export.open").perform()}>
          Export
        </Button>
      </div>
    </aside>
  );
}
