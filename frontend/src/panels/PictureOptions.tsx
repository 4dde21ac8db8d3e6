/** How the frame is shown: its tones, what stands behind cut-out objects, the colours of masks, and aids for seeing edges. */
import { setView } from "../actions/objects";
import { Button } from "../parts/Button";
import { type ColorBy, DEFAULT_VIEW, type ViewSettings } from "../state/view";
import { useStudio } from "../studio/context";
import { FoldHead, useFolded } from "./FoldHead";
import css from "./PictureOptions.module.css";
import side from "./SidePanel.module.css";
import view from "./ViewPanel.module.css";

export function PictureOptions() {
  const folded = useFolded("picture");
  return (
    <section class={side.section} aria-label="Picture" data-testid="picture">
      <FoldHead name="picture" title="Picture">
        <Reset />
      </FoldHead>
      {!folded && <Options />}
    </section>
  );
}

function Options() {
  return (
    <>
      <Tone name="Brightness" field="brightness" min={20} max={300} step={5} unit=" %" />
      <Tone name="Contrast" field="contrast" min={20} max={300} step={5} unit=" %" />
      <Tone name="Gamma" field="gamma" min={0.3} max={3} step={0.1} unit="" />
      <Tone
        name="Onion"
        field="onion"
        min={0}
        max={3}
        step={1}
        unit=""
        title="Contours of that many frames before (dotted) and after (dashed)"
      />
      <ColorChoice />
      <GroundChoice />
      <Magnifier />
    </>
  );
}

const TONES = ["brightness", "contrast", "gamma"] as const;

function Reset() {
  const studio = useStudio();
  const settings = studio.store.view.value;
  if (TONES.every((field) => settings[field] === DEFAULT_VIEW[field])) return null;
  const { brightness, contrast, gamma } = DEFAULT_VIEW;
  return (
    <Button
      size="small"
      testid="picture-reset"
      title="Shows the frame as it is"
      onClick={() => setView(studio, () => ({ brightness, contrast, gamma }))}
    >
      Reset
    </Button>
  );
}

interface ToneProps {
  name: string;
  field: (typeof TONES)[number] | "onion";
  min: number;
  max: number;
  step: number;
  unit: string;
  title?: string;
}

function Tone({ name, field, min, max, step, unit, title }: ToneProps) {
  const studio = useStudio();
  const value = studio.store.view.value[field];
  return (
    <label class={`${view.slider} ${css.tone}`} title={title}>
      {name}
      <input
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        data-testid={`view-${field}`}
        onInput={(event) => {
          const change: Partial<ViewSettings> = { [field]: Number(event.currentTarget.value) };
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

const COLORS: readonly { by: ColorBy; name: string }[] = [
  { by: "object", name: "Object" },
  { by: "label", name: "Label" },
  { by: "confidence", name: "Confidence" },
];

function ColorChoice() {
  const studio = useStudio();
  return (
    <label class={css.choice}>
      Colour by
      <select
        value={studio.store.view.value.colorBy}
        data-testid="view-color-by"
        onChange={(event) => {
          const colorBy = event.currentTarget.value as ColorBy;
          setView(studio, () => ({ colorBy }));
        }}
      >
        {COLORS.map(({ by, name }) => (
          <option key={by} value={by}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What stands behind the objects in mode "Cut-out". Choosing it shows that mode. */
function GroundChoice() {
  const studio = useStudio();
  const { ground } = studio.store.view.value;
  const choose = (chosen: string): void => setView(studio, () => ({ ground: chosen, mode: "matte" }));
  const kind = ground === "checkerboard" || ground === "#000000" ? ground : "colour";
  return (
    <div class={css.choice}>
      <label>
        Cut-out on
        <select
          value={kind}
          data-testid="view-ground"
          onChange={(event) => {
            const { value } = event.currentTarget;
            choose(value === "colour" ? "#00b140" : value); // the green of studios, until a colour is chosen
          }}
        >
          <option value="checkerboard">Checkerboard</option>
          <option value="#000000">Black</option>
          <option value="colour">Colour</option>
        </select>
      </label>
      {kind === "colour" && (
        <input
          type="color"
          aria-label="Colour behind the objects"
          value={ground}
          data-testid="view-ground-color"
          onInput={(event) => choose(event.currentTarget.value)}
        />
      )}
    </div>
  );
}

function Magnifier() {
  const studio = useStudio();
  const on = studio.store.view.value.magnifier;
  return (
    <label class={view.switch}>
      Magnifier (Z)
      <input
        type="checkbox"
        role="switch"
        aria-checked={on}
        checked={on}
        data-testid="view-magnifier"
        onChange={() => setView(studio, () => ({ magnifier: !on }))}
      />
    </label>
  );
}
