/** The table of numbers: a row for each person, label, object, video, week or engine. A click on a number's column sorts by it. */
import { ArrowDown, ArrowUp } from "lucide-preact";
import type { NumbersRow } from "../../api/types";
import { duration } from "../../format";
import { query, setQuery } from "../../route";
import css from "./NumbersTable.module.css";

interface Column {
  key: keyof NumbersRow;
  name: string;
  title?: string;
  shown: (value: number) => string;
  /** Whether the rows add up to a total; means do not. */
  adds?: boolean;
  /** Whether it counts rounds. A round on several objects counts for each of them, so these rows do not add up. */
  rounds?: boolean;
}

const whole = (value: number) => Math.round(value).toLocaleString("en");
const mean = (value: number) => value.toLocaleString("en", { maximumFractionDigits: 1 });
const score = (value: number) => value.toFixed(3);

const COLUMNS: Column[] = [
  { key: "human_seconds", name: "Human time", shown: duration, adds: true },
  { key: "engine_seconds", name: "Engine time", shown: duration, adds: true },
  { key: "rounds", name: "Rounds", shown: whole, adds: true, rounds: true },
  {
    key: "corrections",
    name: "Corrections",
    title: "Rounds that a reviewer made in the job of somebody else",
    shown: whole,
    adds: true,
    rounds: true,
  },
  { key: "strokes", name: "Strokes", shown: whole, adds: true },
  { key: "painted_pixels", name: "Painted px", shown: whole, adds: true },
  { key: "accepted_frames", name: "Accepted", title: "Accepted frames", shown: whole, adds: true },
  {
    key: "accepted_objects",
    name: "Objects ok",
    title: "Objects that were accepted singly, counted in each frame",
    shown: whole,
    adds: true,
  },
  {
    key: "rejected_objects",
    name: "Objects wrong",
    title: "Pins that say that an object is wrong",
    shown: whole,
    adds: true,
  },
  { key: "submissions", name: "Submitted", title: "Submissions of jobs", shown: whole, adds: true },
  { key: "rejections", name: "Rejected", title: "Jobs that were sent back", shown: whole, adds: true },
  {
    key: "seconds_to_accept",
    name: "Until accepted",
    title: "Mean human time until a job was accepted",
    shown: duration,
  },
  {
    key: "rounds_to_accept",
    name: "Rounds to accept",
    title: "Mean number of rounds until a job was accepted",
    shown: mean,
  },
  { key: "j", name: "J", title: "Mean J on frames with ground truth", shown: score },
  { key: "f", name: "F", title: "Mean F on frames with ground truth", shown: score },
  { key: "jf", name: "J&F", title: "Mean of J and F on frames with ground truth", shown: score },
];

/** The column that the address names, and whether the largest value comes first: `-jf`, `jf`. */
function sorting(): { key: string; down: boolean } {
  const asked = query.value.get("sort") ?? "";
  return { key: asked.replace(/^-/, ""), down: asked.startsWith("-") };
}

/** Returns the rows in the order of a column. Rows without a value come last, whichever way. */
export function sorted(rows: readonly NumbersRow[], key: string, down: boolean): readonly NumbersRow[] {
  if (!COLUMNS.some((column) => column.key === key)) return rows;
  const value = (row: NumbersRow) => row[key as keyof NumbersRow] as number | null;
  return [...rows].sort((a, b) => {
    const [one, other] = [value(a), value(b)];
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    return down ? other - one : one - other;
  });
}

export interface NumbersTableProps {
  by: string;
  /** The head of the first column, such as "Person". */
  of: string;
  rows: readonly NumbersRow[];
}

export function NumbersTable({ by, of, rows }: NumbersTableProps) {
  const { key: sortedBy, down } = sorting();
  return (
    <div class={css.scroll}>
      <table class={css.table} data-testid="numbers">
        <thead>
          <tr>
            <th scope="col">{of}</th>
            {COLUMNS.map((column) => (
              <Head key={column.key} column={column} down={column.key === sortedBy ? down : null} />
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted(rows, sortedBy, down).map((row) => (
            <tr key={row.key} data-testid={`numbers-row-${row.key}`}>
              <th scope="row">{row.name || "none"}</th>
              {COLUMNS.map(({ key, shown }) => {
                const found = row[key] as number | null;
                return <td key={key}>{found === null ? "" : shown(found)}</td>;
              })}
            </tr>
          ))}
        </tbody>
        {rows.length > 1 && <Total byObjects={by === "object" || by === "label"} rows={rows} />}
      </table>
    </div>
  );
}

/** The head of a column. `down` is how the table is sorted by it; null: it is not. */
function Head({ column: { key, name, title }, down }: { column: Column; down: boolean | null }) {
  const Arrow = down ? ArrowDown : ArrowUp;
  const next = down === null ? `-${key}` : down ? key : null;
  return (
    <th scope="col" title={title} aria-sort={down === null ? undefined : down ? "descending" : "ascending"}>
      <button type="button" data-testid={`numbers-sort-${key}`} onClick={() => setQuery({ sort: next })}>
        {name}
        {down !== null && <Arrow size={12} aria-hidden="true" />}
      </button>
    </th>
  );
}

function Total({ byObjects, rows }: { byObjects: boolean; rows: readonly NumbersRow[] }) {
  return (
    <tfoot>
      <tr data-testid="numbers-total">
        <th scope="row">All</th>
        {COLUMNS.map(({ key, shown, adds, rounds }) => (
          <td key={key}>
            {adds && !(rounds && byObjects)
              ? shown(rows.reduce((sum, row) => sum + Number(row[key]), 0))
              : ""}
          </td>
        ))}
      </tr>
    </tfoot>
  );
}
