/** A day that a list is limited to, kept in the address. */
import { TextField } from "../parts/Field";
import { setQuery } from "../route";
import css from "./DayField.module.css";

export interface DayFieldProps {
  /** The name of the day in the address. */
  name: "since" | "until";
  label: "From" | "To";
  testid: string;
  /** YYYY-MM-DD, or empty. */
  value: string;
}

export function DayField({ name, label, testid, value }: DayFieldProps) {
  return (
    <span class={css.day}>
      <span aria-hidden="true">{label}</span>
      <TextField
        label={`${label} this day`}
        bare
        type="date"
        testid={testid}
        value={value}
        onInput={(day) => setQuery({ [name]: day })}
      />
    </span>
  );
}
