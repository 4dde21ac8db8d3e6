/** The menu of engines for the next round. Engines without weights are listed, but cannot be chosen. */
import { ChevronDown } from "lucide-preact";
import { describe, weightsOf } from "../api/engines";
import { Menu, type MenuItem } from "../parts/Menu";
import { useStudio } from "../studio/context";
import css from "./TopBar.module.css";

export function EngineMenu() {
  const { store, engines } = useStudio();
  const chosen = engines.value.find((engine) => engine.name === store.engine.value);
  const items: MenuItem[] = engines.value.map((engine) => ({
    name: engine.title,
    note: describe(engine),
    tag: weightsOf(engine),
    testid: `engine-${engine.name}`,
    checked: engine.name === store.engine.value,
    disabled: !engine.ready,
    perform: () => {
      store.engine.value = engine.name;
    },
  }));
  return (
    <Menu
      label="Engine of the next round"
      testid="engine"
      class={css.engine ?? ""}
      items={items}
      align="end"
      disabled={!store.canDraw.value || items.length === 0}
    >
      <span>engine</span>
      <b>{chosen?.title ?? store.engine.value}</b>
      <ChevronDown size={14} aria-hidden="true" />
    </Menu>
  );
}
