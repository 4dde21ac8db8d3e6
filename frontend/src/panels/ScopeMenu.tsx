/** The menu of what the next round may change: direction, range, objects, scene cuts. */
import { ChevronDown } from "lucide-preact";
import { markedSpan, setScope } from "../actions/scope";
import { Menu } from "../parts/Menu";
import type { Scope } from "../state/scope";
import { keyOf } from "../studio/command";
import { useStudio } from "../studio/context";
import css from "./ScopeMenu.module.css";

const DIRECTIONS = [
  { direction: "both", name: "Both ways", testid: "scope-both" },
  { direction: "forward", name: "Forward only", testid: "scope-forward" },
  { direction: "backward", name: "Backward only", testid: "scope-backward" },
] as const;

/** Says in a few words what a round would change: "all frames", "12–40 · forward". */
export function scopeText(scope: Scope, marked: readonly [number, number] | null): string {
  const words = [
    marked ? `${marked[0]}–${marked[1]}` : scope.untilNext ? "to next fixed frame" : "all frames",
  ];
  if (scope.direction !== "both") words.push(scope.direction);
  if (scope.onlySelected) words.push("one object");
  return words.join(" · ");
}

export function ScopeMenu() {
  const studio = useStudio();
  const { store } = studio;
  const scope = store.scope.value;
  const marked = markedSpan(studio);
  const key = keyOf(studio.commands, "scope.clear");
  const flip = (field: "untilNext" | "onlySelected" | "acrossCuts") => ({
    checked: scope[field],
    perform: () => setScope(studio, { [field]: !scope[field] }),
  });
  return (
    <Menu
      label="What the next round may change"
      testid="scope"
      class={css.scope ?? ""}
      disabled={!store.canDraw.value}
      items={[
        ...DIRECTIONS.map(({ direction, name, testid }) => ({
          name,
          testid,
          checked: scope.direction === direction,
          perform: () => setScope(studio, { direction }),
        })),
        "line",
        { name: "To the next drawn or accepted frame", testid: "scope-until", ...flip("untilNext") },
        { name: "Selected object only", testid: "scope-selected", ...flip("onlySelected") },
        { name: "Across scene cuts", testid: "scope-cuts", ...flip("acrossCuts") },
        "line",
        {
          name: "No in and out points",
          testid: "scope-clear",
          ...(key === undefined ? {} : { hotkey: key }),
          disabled: marked === null,
          perform: () => setScope(studio, { first: null, last: null }),
        },
      ]}
    >
      <span>round</span>
      <b>{scopeText(scope, marked)}</b>
      <ChevronDown size={13} aria-hidden="true" />
    </Menu>
  );
}
