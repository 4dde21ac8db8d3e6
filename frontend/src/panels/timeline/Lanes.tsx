/** The names of the lanes, to the left of the track. The list scrolls, and the lanes on the track follow it. */
import type { Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useStudio } from "../../studio/context";
import css from "./Lanes.module.css";
import { LANE, type Layout, revealLane } from "./layout";

export function Lanes({ layout, offset }: { layout: Layout; offset: Signal<number> }) {
  const { store } = useStudio();
  const list = useRef<HTMLUListElement>(null);
  const objects = store.alive.value;
  const selected = objects.findIndex(({ number }) => number === store.selected.value);

  useEffect(() => {
    const element = list.current;
    if (element && selected >= 0) element.scrollTop = revealLane(layout, element.scrollTop, selected);
  }, [selected, layout, objects.length]);

  return (
    <div class={css.names} style={{ height: `${layout.height}px` }}>
      <span
        class={css.row}
        style={{ top: `${layout.bars.top}px`, height: `${layout.bars.base - layout.bars.top}px` }}
        title="How sure the engine is of each frame"
      >
        Confidence
      </span>
      <ul
        ref={list}
        class={css.list}
        style={{ top: `${layout.lanes.top}px`, height: `${layout.lanes.bottom - layout.lanes.top}px` }}
        aria-label="Lanes"
        onScroll={(event) => {
          offset.value = event.currentTarget.scrollTop;
        }}
      >
        {objects.map(({ number, name, color }) => (
          <li key={number} style={{ height: `${LANE}px` }}>
            <button
              type="button"
              aria-pressed={number === store.selected.value}
              data-testid={`lane-${number}`}
              title={name}
              onClick={() => {
                store.selected.value = number;
              }}
            >
              <i style={{ background: color }} />
              <span>{name}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
