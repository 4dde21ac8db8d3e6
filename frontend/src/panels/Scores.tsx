/** Scores of the rounds against ground truth: a curve over the rounds of the line, and J and F of each object. */
import type { RoundScores } from "../protocol";
import { membersOf } from "../state/line";
import { useStudio } from "../studio/context";
import css from "./Scores.module.css";

const WIDTH = 240;
const HEIGHT = 44;

/** J&F by round, oldest first, on the shown line. A single round has no curve yet. */
export function ScoreCurve() {
  const { store } = useStudio();
  const onLine = membersOf(store.line.value);
  const points = [...store.scores.value.values()].filter(({ round }) => onLine(round));
  points.sort((a, b) => a.number - b.number);
  const last = points.at(-1);
  if (points.length < 2 || !last) return null;
  const x = (index: number) => 4 + ((WIDTH - 8) * index) / (points.length - 1);
  // The scale starts a tenth below the worst round, so that changes are visible.
  const low = Math.max(0, Math.floor(10 * Math.min(...points.map((point) => point.jf))) / 10 - 0.1);
  const y = (jf: number) => HEIGHT - 4 - ((HEIGHT - 8) * (jf - low)) / (1 - low);
  const text = points.map((point) => `round ${point.number} ${point.jf.toFixed(3)}`).join(", ");
  return (
    <svg
      class={css.curve}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`J&F by round: ${text}`}
      data-testid="score-curve"
    >
      <title>{`J&F by round, the lines are ${low.toFixed(1)} and 1: ${text}`}</title>
      <path class={css.grid} d={`M4 ${y(low)}H${WIDTH - 4}M4 ${y(1)}H${WIDTH - 4}`} />
      <polyline class={css.line} points={points.map((point, i) => `${x(i)},${y(point.jf)}`).join(" ")} />
      <circle class={css.end} cx={x(points.length - 1)} cy={y(last.jf)} r="3" />
    </svg>
  );
}

/** Returns the mean change of J&F from `base`, over the objects that both rounds have. */
export function changeOf(score: RoundScores, base: RoundScores): number | null {
  const before = new Map(base.objects.map((object) => [object.object, object]));
  const changes = score.objects.flatMap((object) => {
    const old = before.get(object.object);
    return old ? [(object.j + object.f - old.j - old.f) / 2] : [];
  });
  if (changes.length === 0) return null;
  return changes.reduce((sum, change) => sum + change, 0) / changes.length;
}

/** One row for each object of the ground truth. */
export function ObjectScores({ round }: { round: number }) {
  const { store } = useStudio();
  const scores = store.scores.value.get(round);
  if (!scores) return null;
  const info = new Map(store.objects.value.map((object) => [object.number, object]));
  const name = (object: number) => info.get(object)?.name ?? `Object ${object}`;
  return (
    <table class={css.table} data-testid={`round-${scores.number}-scores`}>
      <thead>
        <tr>
          <th scope="col">object</th>
          <th scope="col">J</th>
          <th scope="col">F</th>
          <th scope="col">J&F</th>
        </tr>
      </thead>
      <tbody>
        {scores.objects.map((object) => (
          <tr key={object.object}>
            <th scope="row" title={name(object.object)}>
              <i style={{ background: info.get(object.object)?.color }} />
              {name(object.object)}
            </th>
            <td>{object.j.toFixed(3)}</td>
            <td>{object.f.toFixed(3)}</td>
            <td>{((object.j + object.f) / 2).toFixed(3)}</td>
          </tr>
        ))}
        {scores.objects.length === 0 && (
          <tr>
            <td colSpan={4}>Nothing of the ground truth is covered.</td>
          </tr>
        )}
      </tbody>
    </table>
  );
}
