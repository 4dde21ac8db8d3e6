/** Settings of how masks and scribbles are shown, and of when rounds run. */
import { setView } from "../actions/objects";
import type { Mode, ViewSettings } from "../state/view";
import { useStudio } from "../studio/context";
import { FoldHead, useFolded } from "./FoldHead";
import side from "./SidePanel.module.css";
import css from "./ViewPanel.module.css";

const MODES: readonly { mode: Mode; name: string; title: string }[] = [
  { mode: "overlay", name: "Overlay", title: "Masks over the picture" },
  { mode: "outline", name: "Outline", title: "Contours only" },
  { mode: "mask", name: "Mask", title: "Masks alone, on black" },
  { mode: "matte", name: "Cut", title: "The objects' pixels on a checkerboard or a colour" },
  { mode: "changes", name: "Changes", title: "Differences from the round before" },
];

export function ViewPanel() {
  const { store } = useStudio();
  const { mode } = store.view.value;
  const folded = useFolded("view");
  return (
    <section class={side.section} aria-label="View" data-testid="view">
      <FoldHead name="view" title="View" />
      <Modes />
      {!folded && <Options mode={mode} scored={store.scores.value.size > 0} />}
    </section>
  );
}

function Options({ mode, scored }: { mode: Mode; scored: boolean }) {
  return (
    <>
      {mode === "changes" && <ChangesKey />}
      <Slider name="Opacity" field="opacity" max={100} unit="" disabled={mode !== "overlay"} />
      <Slider
        name="Contour"
        field="contour"
        max={4}
        unit=" px"
        disabled={mode === "mask" || mode === "changes"}
      />
      <Slider
        name="Scribble"
        field="brush"
        min={2}
        max={24}
        unit=" px"
        title="How wide scribbles are drawn on screen. Engines see the path, not its width."
      />
      <Switch field="showUsed" name="Scribbles of past rounds" />
      {scored && (
        <Switch
          field="showScores"
          name="J&F on the timeline"
          title="Bars show J&F against ground truth: red below 0.5, amber below 0.75, else green"
        />
      )}
      <Switch field="runOnRelease" name="Run on release" title="Runs a round each time you release the pen" />
    </>
  );
}

function Modes() {
  const studio = useStudio();
  const chosen = studio.store.view.value.mode;
  return (
    <div class={css.modes} role="radiogroup" aria-label="How masks are shown">
      {MODES.map(({ mode, name, title }) => (
        <label key={mode} class={css.mode} data-chosen={mode === chosen} title={title}>
          <input
            type="radio"
            name="mode"
            checked={mode === chosen}
            data-testid={`mode-${mode}`}
            onChange={() => setView(studio, () => ({ mode }))}
          />
          {name}
        </label>
      ))}
    </div>
  );
}

function ChangesKey() {
  const { store } = useStudio();
  const base = store.shownBase.value;
  const [now, before] = [store.shownRound.value, base].map((id) => store.rounds.value.get(id ?? 0));
  return (
    <p class={css.key} data-testid="changes-key">
      <b>
        {now && typeof base === "number"
          ? `Round ${now.number} against ${before ? `round ${before.number}` : "the one before"}`
          : "There is no round before this one, so everything is new."}
      </b>
      <span>
        <i class={css.won} /> won
      </span>
      <span>
        <i class={css.lost} /> lost
      </span>
      <span>
        <i class={css.same} /> as before
      </span>
    </p>
  );
}

type Numbers = "opacity" | "contour" | "brush";

interface SliderProps {
  name: string;
  field: Numbers;
  min?: number;
  max: number;
  unit: string;
  disabled?: boolean;
  title?: string;
}

function Slider({ name, field, min = 0, max, unit, disabled = false, title }: SliderProps) {
  const studio = useStudio();
  const value = studio.store.view.value[field];
  const change: Partial<ViewSettings> = {};
  return (
    <label class={css.slider} title={title}>
      {name}
      <input
        type="range"
        min={min}
        max={max}
        value={value}
        disabled={disabled}
        data-testid={`view-${field}`}
        onInput={(event) => {
          change[field] = Number(event.currentTarget.value);
          setView(studio, () => change);
        }}
      />
      <span>
        {value}
        {unit}
      </span>
    </label>
  );
}

function Switch({
  field,
  name,
  title,
}: {
  field: "showUsed" | "showScores" | "runOnRelease";
  name: string;
  title?: string;
}) {
  const studio = useStudio();
  const on = studio.store.view.value[field];
  return (
    <label class={css.switch} title={title}>
      {name}
      <input
        type="checkbox"
        role="switch"
        aria-checked={on}
        checked={on}
        data-testid={`view-${field}`}
        onChange={() => setView(studio, () => ({ [field]: !on }))}
      />
    </label>
  );
}
