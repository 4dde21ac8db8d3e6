/**
 * The menu of engines for the next round: one line each, those of published papers under "Research". Engines without
 * weights are listed, but cannot be chosen; the tooltip of a line says what it is good at and what is missing.
 */
import { ChevronDown } from "lucide-preact";
import { describe, weightsOf } from "../api/engines";
import type { Engine } from "../api/types";
import { Menu, type MenuEntry } from "../parts/Menu";
import { useStudio } from "../studio/context";
import css from "./TopBar.module.css";

export function EngineMenu() {
  const { store, engines } = useStudio();
  const chosen = engines.value.find((engine) => engine.name === store.engine.value);
  const item = (engine: Engine): MenuEntry => ({
    name: engine.title,
    title: describe(engine),
    tag: weightsOf(engine),
    testid: `engine-${engine.name}`,
    checked: engine.name === store.engine.value,
    disabled: !engine.ready,
    perform: () => {
      store.engine.value = engine.name;
    },
  });
  return (
    <Menu
      label="Engine of the next round"
      testid="engine"
      class={css.engine ?? ""}
      items={entriesOf(engines.value, item)}
      align="end"
      disabled={!store.canDraw.value || engines.value.length === 0}
    >
      <span>engine</span>
      <b>{chosen?.title ?? store.engine.value}</b>
      <ChevronDown size={14} aria-hidden="true" />
    </Menu>
  );
}

/** Returns the default engine first, then the others, then those of published papers below a heading. */
export function entriesOf(engines: readonly Engine[], item: (engine: Engine) => MenuEntry): MenuEntry[] {
  const own = engines.filter(({ published }) => !published).sort((a, b) => +b.default - +a.default);
  const published = engines.filter((engine) => engine.published);
  return [
    ...own.map(item),
    ...(published.length > 0 ? [{ heading: "Research" }, ...published.map(item)] : []),
  ];
}
