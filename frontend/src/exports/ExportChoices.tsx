/** What of a video or a project is exported, and how: closed at first, because most exports take everything. */
import type { ExportOptions } from "../api/types";
import { CheckField, SelectField, TextField } from "../parts/Field";
import css from "./ExportChoices.module.css";

export interface Choices {
  accepted: boolean;
  /** Ranges of frames as they are typed, such as "0-99, 200-250"; empty for all frames. */
  spans: string;
  names: "" | "source" | "number";
  display: boolean;
  /** The labels whose objects are exported, "" for objects without one; none: all objects. */
  labels: readonly string[];
}

export const EVERYTHING: Choices = { accepted: false, spans: "", names: "", display: false, labels: [] };

/** Returns the ranges in a text such as "0-99, 120", or null if it is none. */
export function spansOf(text: string): [number, number][] | null {
  const parts = text.split(",").filter((part) => part.trim());
  const spans: [number, number][] = [];
  for (const part of parts) {
    const found = part.trim().match(/^(\d{1,6})(?:\s*[-–]\s*(\d{1,6}))?$/);
    if (!found) return null;
    const first = Number(found[1]);
    const last = found[2] === undefined ? first : Number(found[2]);
    if (last < first) return null;
    spans.push([first, last]);
  }
  return spans;
}

/** Returns the options of the server. Throws an Error with a sentence if the ranges cannot be read. */
export function optionsOf(choices: Choices): ExportOptions {
  const spans = spansOf(choices.spans);
  if (!spans) throw new Error(BAD_SPANS);
  return {
    ...(choices.accepted ? { accepted_only: true } : {}),
    ...(spans.length ? { spans } : {}),
    ...(choices.names ? { names: choices.names } : {}),
    ...(choices.display ? { shape: "display" as const } : {}),
    ...(choices.labels.length ? { labels: [...choices.labels] } : {}),
  };
}

const BAD_SPANS = "Write ranges of frames as 0-99, 200-250.";

export interface ExportChoicesProps {
  choices: Choices;
  /** Whether ranges of frames can be chosen, which are those of one video. */
  spans?: boolean;
  /** The labels of the project. */
  labels: readonly { name: string }[];
  onChange: (choices: Choices) => void;
}

export function ExportChoices({ choices, spans = false, labels, onChange }: ExportChoicesProps) {
  const set = (change: Partial<Choices>) => onChange({ ...choices, ...change });
  return (
    <details class={css.choices} data-testid="export-options">
      <summary>Options</summary>
      <label class={css.check}>
        <input
          type="checkbox"
          checked={choices.accepted}
          data-testid="export-accepted"
          onChange={(event) => set({ accepted: event.currentTarget.checked })}
        />
        Only accepted frames
      </label>
      <label class={css.check}>
        <input
          type="checkbox"
          checked={choices.display}
          data-testid="export-display"
          onChange={(event) => set({ display: event.currentTarget.checked })}
        />
        Stretch pixels that are not square
      </label>
      {spans && (
        <TextField
          label="Frames"
          testid="export-spans"
          placeholder="all, or 0-99, 200-250"
          value={choices.spans}
          error={spansOf(choices.spans) ? "" : BAD_SPANS}
          onInput={(text) => set({ spans: text })}
        />
      )}
      {labels.length > 0 && (
        <fieldset class={css.labels}>
          <legend>Only objects with these labels; none chosen: all</legend>
          {[...labels.map(({ name }) => name), ""].map((name, index) => (
            <CheckField
              key={name}
              label={name || "no label"}
              testid={`export-label-${index}`}
              checked={choices.labels.includes(name)}
              onChange={(on) =>
                set({
                  labels: on ? [...choices.labels, name] : choices.labels.filter((other) => other !== name),
                })
              }
            />
          ))}
        </fieldset>
      )}
      <SelectField
        label="Frames are called"
        testid="export-names"
        value={choices.names}
        options={[
          { value: "", name: "as the format does" },
          { value: "source", name: "as their source files" },
          { value: "number", name: "00000, 00001, …" },
        ]}
        onChange={(value) => set({ names: value as Choices["names"] })}
      />
    </details>
  );
}
