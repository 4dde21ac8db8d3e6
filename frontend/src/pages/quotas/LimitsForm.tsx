/** The three limits of a quota as fields: frames, gigabytes and minutes of workers. An empty field limits nothing. */
import { useState } from "preact/hooks";
import { useAttempt } from "../../api/attempt";
import type { Limits } from "../../api/types";
import { Button } from "../../parts/Button";
import { TextField } from "../../parts/Field";
import form from "../Form.module.css";
import { FormProblem } from "../FormProblem";

const FIELDS = [
  { key: "frames", label: "Frames", unit: 1 },
  { key: "bytes", label: "Storage in GB", unit: 1e9 },
  { key: "engine_seconds", label: "Minutes of workers a day", unit: 60 },
] as const;

type Texts = Record<(typeof FIELDS)[number]["key"], string>;

function textsOf(limits: Limits): Texts {
  const text = ({ key, unit }: (typeof FIELDS)[number]) => {
    const limit = limits[key] ?? null;
    return [key, limit === null ? "" : String(limit / unit)];
  };
  return Object.fromEntries(FIELDS.map(text)) as Texts;
}

/** Returns the limits that the fields say, in frames, bytes and seconds; null if a field is no number of 0 or more. */
export function limitsOf(texts: Texts): Limits | null {
  const limits: Limits = {};
  for (const { key, unit } of FIELDS) {
    const text = texts[key].trim();
    const value = Number(text);
    if (text && !(Number.isFinite(value) && value >= 0)) return null;
    limits[key] = text ? Math.round(value * unit) : null;
  }
  return limits;
}

export interface LimitsFormProps {
  limits: Limits;
  /** The fields are called `<testid>-frames`, `<testid>-bytes` and `<testid>-engine_seconds`. */
  testid: string;
  save: (limits: Limits) => Promise<unknown>;
  /** The limits are not stored yet, so they can be saved as they are: no limits exempt a project or a person. */
  isNew?: boolean;
}

export function LimitsForm({ limits, testid, save, isNew = false }: LimitsFormProps) {
  const before = textsOf(limits);
  const [texts, setTexts] = useState(before);
  const { busy, problem, attempt } = useAttempt();
  const wanted = limitsOf(texts);
  const dirty = FIELDS.some(({ key }) => texts[key].trim() !== before[key]);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (wanted) attempt(() => save(wanted));
  };
  return (
    <form class={form.form} onSubmit={submit} data-testid={testid}>
      <div class={form.row}>
        {FIELDS.map(({ key, label }) => (
          <div key={key} class={form.grow}>
            <TextField
              label={label}
              testid={`${testid}-${key}`}
              value={texts[key]}
              placeholder="no limit"
              onInput={(text) => setTexts({ ...texts, [key]: text })}
            />
          </div>
        ))}
        <Button
          type="submit"
          tone="accent"
          testid={`${testid}-save`}
          busy={busy}
          disabled={!(dirty || isNew) || !wanted}
        >
          Save
        </Button>
      </div>
      <FormProblem
        testid={`${testid}-problem`}
        text={
          problem || (wanted ? "" : "A limit is a number of 0 or more. Leave a field empty for no limit.")
        }
      />
    </form>
  );
}
