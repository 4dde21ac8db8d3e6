/** The right panel: objects, rounds and view settings. In small windows it is a drawer. */
import { useStudio } from "../studio/context";
import { Objects } from "./Objects";
import { PictureOptions } from "./PictureOptions";
import { Rounds } from "./Rounds";
import { SelectedObject } from "./SelectedObject";
import css from "./SidePanel.module.css";
import { ViewPanel } from "./ViewPanel";

export function SidePanel() {
  const { store } = useStudio();
  const close = () => {
    store.drawer.value = false;
  };
  return (
    <>
      {store.drawer.value && (
        <button
          type="button"
          class={css.shade}
          aria-label="Hide the panel"
          data-testid="drawer-shade"
          onClick={close}
        />
      )}
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
      </aside>
    </>
  );
}
