/** What the shown round is compared with, and how. */
import { X } from "lucide-preact";
import { compareWith, endCompare } from "../actions/compare";
import { IconButton } from "../parts/IconButton";
import type { Compare } from "../state/compare";
import { useStudio } from "../studio/context";
import { Choice } from "./Choice";
import css from "./ToolOptions.module.css";

const WAYS: readonly { way: Compare["way"]; name: string; title: string }[] = [
  { way: "slider", name: "Slider", title: "The other round left of a line that can be dragged" },
  { way: "blink", name: "Blink", title: "The two rounds in turn" },
];

export function CompareOptions() {
  const studio = useStudio();
  const { store } = studio;
  const compare = store.compare.value;
  if (!compare) return null;
  const shown = store.shownRound.value;
  const others = [...store.rounds.value.values()].filter(
    ({ id, frames }) => id !== shown && frames.length > 0,
  );
  return (
    <span class={css.field} data-testid="compare">
      <Choice name="Compare">
        {WAYS.map(({ way, name, title }) => (
          <label key={way} class={css.choice} data-chosen={way === compare.way} title={title}>
            <input
              type="radio"
              name="compare-way"
              checked={way === compare.way}
              data-testid={`compare-${way}`}
              onChange={() => compareWith(studio, { way })}
            />
            {name}
          </label>
        ))}
      </Choice>
      <select
        aria-label="Compare with round"
        data-testid="compare-round"
        value={String(compare.other)}
        onChange={(event) => compareWith(studio, { other: Number(event.currentTarget.value) })}
      >
        {others.map(({ id, number }) => (
          <option key={id} value={String(id)}>
            round {number}
          </option>
        ))}
      </select>
      <IconButton
        icon={X}
        label="End the comparison (Y)"
        testid="compare-end"
        size="small"
        onClick={() => endCompare(studio)}
      />
    </span>
  );
}
