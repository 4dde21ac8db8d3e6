/** What the shown round is compared with, and how. */
import { X } from "lucide-preact";
import { compareWith, endCompare } from "../actions/compare";
import { IconButton } from "../parts/IconButton";
import type { Compare } from "../state/compare";
import { useStudio } from "../studio/context";
import { Choice } from "./Choice";
import { showOlder } from "./rounds/OlderRounds";
import css from "./ToolOptions.module.css";

const WAYS: readonly { way: Compare["way"]; name: string; title: string }[] = [
  { way: "slider", name: "Slider", title: "The other round left of a line that can be dragged" },
  { way: "blink", name: "Blink", title: "The two rounds in turn" },
];

const OLDER = "older"; // the choice that loads older rounds

export function CompareOptions() {
  const studio = useStudio();
  const { store } = studio;
  const compare = store.compare.value;
  if (!compare) return null;
  const shown = store.shownRound.value;
  const older = store.older.value;
  const others = [...store.rounds.value.values()]
    .filter(({ id, frames }) => id !== shown && frames.length > 0)
    .sort((a, b) => a.number - b.number);
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
        onChange={(event) => {
          const { value } = event.currentTarget;
          if (value !== OLDER) return compareWith(studio, { other: Number(value) });
          event.currentTarget.value = String(compare.other);
          showOlder(studio);
        }}
      >
        {older && <option value={OLDER}>Show older rounds ({older.count})</option>}
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
