/** The line between two rounds that are compared with a slider. It can be dragged and moved with the arrow keys. */
import { compareWith } from "../actions/compare";
import { scaleAcross } from "../canvas/view";
import { useStudio } from "../studio/context";
import css from "./Stage.module.css";

const STEP = 0.02; // share of the frame's width that an arrow key moves the line

export function CompareHandle() {
  const studio = useStudio();
  const { store, stage } = studio;
  const compare = store.compare.value;
  if (compare?.way !== "slider") return null;
  const { x, y, scale } = stage.view.value;
  const { height } = stage.frameSize;
  const width = stage.frameSize.width * scaleAcross(stage.view.value);
  const move = (at: number): void => compareWith(studio, { at: Math.max(0, Math.min(1, at)) });
  const drag = (event: PointerEvent & { currentTarget: HTMLElement }): void => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const box = event.currentTarget.parentElement?.getBoundingClientRect();
    if (box) move((event.clientX - box.left - x) / width);
  };
  const [now, then] = [store.shownRound.value, compare.other].map((id) =>
    id === null ? undefined : store.rounds.value.get(id)?.number,
  );
  return (
    <div
      class={css.split}
      role="slider"
      tabIndex={0}
      aria-label={`Round ${then} on the left, round ${now} on the right`}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(compare.at * 100)}
      data-testid="compare-handle"
      style={{ left: `${x + compare.at * width}px`, top: `${y}px`, height: `${height * scale}px` }}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onKeyDown={(event) => {
        const by = event.key === "ArrowLeft" ? -STEP : event.key === "ArrowRight" ? STEP : 0;
        if (by === 0) return;
        event.preventDefault();
        event.stopPropagation();
        move(compare.at + by);
      }}
    >
      <span>round {then}</span>
      <span>round {now}</span>
    </div>
  );
}
