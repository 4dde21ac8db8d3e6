/** Inputs with a visible label, a hint and an error that screen readers hear. */
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import css from "./Field.module.css";

interface Common {
  label: string;
  testid: string;
  hint?: string;
  error?: string;
  disabled?: boolean;
  /** The label is only for screen readers. */
  bare?: boolean;
}

export interface TextFieldProps extends Common {
  value: string;
  onInput: (value: string) => void;
  type?: "text" | "password" | "search" | "date" | "number" | "email";
  /** If given, the field is a text area with this number of lines. */
  rows?: number;
  placeholder?: string;
  maxLength?: number;
  required?: boolean;
  autofocus?: boolean;
  autocomplete?: string;
  onBlur?: () => void;
  /** Called when Enter is pressed in a field of one line. */
  onEnter?: () => void;
}

function notes(id: string, { hint, error }: Common): string | undefined {
  return error ? `${id}-error` : hint ? `${id}-hint` : undefined;
}

function Frame({ id, field, children }: { id: string; field: Common; children: preact.ComponentChildren }) {
  return (
    <div class={css.field}>
      <label for={id} class={field.bare ? css.hidden : css.label}>
        {field.label}
      </label>
      {children}
      {field.error ? (
        <p id={`${id}-error`} class={css.error} role="alert" data-testid={`${field.testid}-error`}>
          {field.error}
        </p>
      ) : (
        field.hint && (
          <p id={`${id}-hint`} class={css.hint}>
            {field.hint}
          </p>
        )
      )}
    </div>
  );
}

export function TextField(props: TextFieldProps) {
  const id = useId();
  const input = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  // Browsers honour `autofocus` only when a page or a dialog opens, not for fields that appear later. A layout effect
  // runs before the next event, so that no key is lost.
  useLayoutEffect(() => {
    if (props.autofocus) input.current?.focus();
  }, []);
  const common = {
    ref: input,
    id,
    class: css.input,
    value: props.value,
    placeholder: props.placeholder,
    maxLength: props.maxLength,
    required: props.required,
    disabled: props.disabled,
    autofocus: props.autofocus,
    autocomplete: props.autocomplete ?? "off",
    "data-testid": props.testid,
    "aria-invalid": Boolean(props.error),
    "aria-describedby": notes(id, props),
    onBlur: props.onBlur,
  };
  return (
    <Frame id={id} field={props}>
      {props.rows ? (
        <textarea
          {...common}
          rows={props.rows}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
      ) : (
        <input
          {...common}
          type={props.type ?? "text"}
          onInput={(event) => props.onInput(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Enter" && props.onEnter?.()}
        />
      )}
    </Frame>
  );
}

export interface SelectFieldProps extends Common {
  value: string;
  options: { value: string; name: string; disabled?: boolean }[];
  onChange: (value: string) => void;
}

export function SelectField(props: SelectFieldProps) {
  const id = useId();
  return (
    <Frame id={id} field={props}>
      <select
        id={id}
        class={css.input}
        value={props.value}
        disabled={props.disabled}
        data-testid={props.testid}
        aria-describedby={notes(id, props)}
        onChange={(event) => props.onChange(event.currentTarget.value)}
      >
        {props.options.map((option) => (
          <option key={option.value} value={option.value} disabled={option.disabled}>
            {option.name}
          </option>
        ))}
      </select>
    </Frame>
  );
}

export interface CheckFieldProps {
  label: string;
  testid: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
  /** A sentence below the label, in a fainter colour. */
  hint?: string;
}

/** A box that is ticked or not, with its label behind it. */
export function CheckField({ label, testid, checked, onChange, disabled, hint }: CheckFieldProps) {
  return (
    <label class={css.check}>
      <input
        type="checkbox"
        data-testid={testid}
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>
        {label}
        {hint && <small>{hint}</small>}
      </span>
    </label>
  );
}
