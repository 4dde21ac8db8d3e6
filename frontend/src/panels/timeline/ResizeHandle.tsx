/** The upper edge of the timeline: dragging it, or arrow keys on it, change the height of the timeline. */
import { useRef } from "preact/hooks";
import { setView } from "../../actions/objects";
import { useStudio } from "../../studio/context";
import { clampHeight, LEAST_HEIGHT, MOST_HEIGHT, USUAL_HEIGHT } from "./layout";
import css from "./ResizeHandle.module.css";

const STEP = 16;

export function ResizeHandle() {
  const studio = useStudio();
  const height = clampHeight(studio.store.view.value.timeline);
  const from = useRef<{ y: number; height: number } | null>(null);
  const set = (wanted: number) => setView(studio, () => ({ timeline: clampHeight(wanted) }));
  return (
    // biome-ignore lint/a11y/useSemanticElements: an <hr> cannot be dragged
    <div
      class={css.handle}
      role="separator"
      tabIndex={0}
      aria-orientation="horizontal"
      aria-label="Height of the timeline"
      aria-valuemin={LEAST_HEIGHT}
      aria-valuemax={MOST_HEIGHT}
      aria-valuenow={height}
      title="Drag to change the height, double click for the usual one"
      data-testid="timeline-resize"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = { y: event.clientY, height };
      }}
      onPointerMove={(event) => {
        if (from.current) set(from.current.height + from.current.y - event.clientY);
      }}
      onPointerUp={() => {
        from.current = null;
      }}
      onPointerCancel={() => {
        from.current = null;
      }}
      onDblClick={() => set(USUAL_HEIGHT)}
      onKeyDown={(event) => {
        if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
        event.preventDefault();
        event.stopPropagation();
        set(height + (event.key === "ArrowUp" ? STEP : -STEP));
      }}
    />
  );
}
