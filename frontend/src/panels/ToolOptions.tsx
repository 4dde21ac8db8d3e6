/** The row above the picture: the settings of the tool in use, and of a comparison of two rounds. */
import { chooseSize } from "../actions/brushSize";
import { setView } from "../actions/objects";
import { polygonHere } from "../actions/polygon";
import { LARGEST_BRUSH, SMALLEST_BRUSH } from "../masks/brush";
import type { Over } from "../masks/compose";
import { useStudio } from "../studio/context";
import { toolInUse } from "../tools/tools";
import { Choice } from "./Choice";
import { CommandButton } from "./CommandButton";
import { CompareOptions } from "./CompareOptions";
import css from "./ToolOptions.module.css";

export function ToolOptions() {
  const studio = useStudio();
  const tool = toolInUse(studio);
  return (
    <div class={css.row} role="toolbar" aria-label={`${tool.title}: settings`} data-testid="tool-options">
      <b class={css.title}>{tool.title}</b>
      {tool.ring === "brush" && <Size />}
      {tool.ring === "brush" && tool.name !== "smooth" && <Hardness />}
      {tool.paints && <PaintOver />}
      {polygonHere(studio.store) && <PolygonButtons />}
      {tool.hint && (
        <span class={css.hint} title={tool.hint}>
          {tool.hint}
        </span>
      )}
      <span class={css.grow} />
      <CompareOptions />
    </div>
  );
}

function Size() {
  const studio = useStudio();
  const size = studio.store.view.value.paintSize;
  return (
    <label
      class={css.field}
      title="Diameter of the brush in pixels of the video: [ and ], or Alt and the wheel"
    >
      Size
      <input
        type="range"
        min={0}
        max={100}
        value={Math.round(positionOf(size))}
        aria-hidden="true"
        tabIndex={-1}
        onInput={(event) => chooseSize(studio, sizeAt(Number(event.currentTarget.value)))}
      />
      <input
        type="number"
        min={SMALLEST_BRUSH}
        max={LARGEST_BRUSH}
        value={size}
        aria-label="Size of the brush in pixels"
        data-testid="paint-size"
        onChange={(event) => {
          chooseSize(studio, Math.round(Number(event.currentTarget.value)));
          event.currentTarget.value = String(studio.store.view.peek().paintSize);
        }}
        // So that the next keys work on the picture.
        onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
      />
      <span>px</span>
    </label>
  );
}

/** The slider moves along the logarithm of the size, so that small sizes can be set as finely as large ones. */
function sizeAt(position: number): number {
  return Math.round(SMALLEST_BRUSH * (LARGEST_BRUSH / SMALLEST_BRUSH) ** (position / 100));
}

function positionOf(size: number): number {
  return (100 * Math.log(size / SMALLEST_BRUSH)) / Math.log(LARGEST_BRUSH / SMALLEST_BRUSH);
}

function Hardness() {
  const studio = useStudio();
  const { hardness } = studio.store.view.value;
  return (
    <label
      class={css.field}
      title="How much of the brush paints at once; the rest paints where it is rubbed over"
    >
      Hardness
      <input
        type="range"
        min={1}
        max={100}
        value={hardness}
        data-testid="paint-hardness"
        onInput={(event) => {
          const value = Number(event.currentTarget.value);
          setView(studio, () => ({ hardness: value }));
        }}
      />
      <span class={css.value}>{hardness} %</span>
    </label>
  );
}

const OVER: readonly { over: Over; name: string; title: string }[] = [
  { over: "none", name: "Never", title: "Pixels of other objects stay theirs" },
  { over: "unlocked", name: "Unlocked", title: "Takes pixels of other objects, except of locked ones" },
  { over: "all", name: "All", title: "Takes pixels of all other objects, also of locked ones" },
];

function PaintOver() {
  const studio = useStudio();
  const chosen = studio.store.view.value.paintOver;
  return (
    <Choice name="Paint over others">
      {OVER.map(({ over, name, title }) => (
        <label key={over} class={css.choice} data-chosen={over === chosen} title={title}>
          <input
            type="radio"
            name="paint-over"
            checked={over === chosen}
            data-testid={`paint-over-${over}`}
            onChange={() => setView(studio, () => ({ paintOver: over }))}
          />
          {name}
        </label>
      ))}
    </Choice>
  );
}

function PolygonButtons() {
  return (
    <span class={css.field}>
      <CommandButton id="polygon.take" size="small" label="Take" />
      <CommandButton id="polygon.back" size="small" label="Last corner back" />
      <CommandButton id="polygon.discard" size="small" label="Discard" />
    </span>
  );
}
