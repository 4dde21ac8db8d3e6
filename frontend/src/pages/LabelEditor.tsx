/** The editor of the labels of a project: colour, name, order, adding and removing. */
import { ArrowDown, ArrowUp, Plus, X } from "lucide-preact";
import type { LabelDraft } from "../api/types";
import { Button } from "../parts/Button";
import { TextField } from "../parts/Field";
import { IconButton } from "../parts/IconButton";
import css from "./LabelEditor.module.css";

/** Colours that can be told apart on most videos, in the order in which new labels take them. */
const COLORS = ["#ff5a5f", "#2ec4b6", "#ffd166", "#4aa3ff", "#b78cff", "#7bd84a", "#ff9bd2", "#ff9f43"];

/** Returns the first colour that no label has yet. */
export function nextColor(labels: readonly LabelDraft[]): string {
  const taken = new Set(labels.map((label) => label.color));
  return COLORS.find((color) => !taken.has(color)) ?? (COLORS[labels.length % COLORS.length] as string);
}

export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const result = [...list];
  const [item] = result.splice(from, 1);
  if (item !== undefined) result.splice(to, 0, item);
  return result;
}

export interface LabelEditorProps {
  labels: LabelDraft[];
  onChange: (labels: LabelDraft[]) => void;
}

export function LabelEditor({ labels, onChange }: LabelEditorProps) {
  const set = (index: number, change: Partial<LabelDraft>) =>
    onChange(labels.map((label, at) => (at === index ? { ...label, ...change } : label)));
  return (
    <>
      <ul class={css.list} data-testid="labels">
        {labels.map((label, index) => (
          <li key={label.id ?? `new ${index}`} class={css.row}>
            <input
              type="color"
              class={css.color}
              value={label.color}
              aria-label={`Colour of ${label.name || "the new label"}`}
              data-testid={`label-color-${index}`}
              onInput={(event) => set(index, { color: event.currentTarget.value })}
            />
            <TextField
              label={`Name of label ${index + 1}`}
              bare
              testid={`label-name-${index}`}
              value={label.name}
              maxLength={60}
              placeholder="Name"
              autofocus={label.id === undefined && !label.name}
              onInput={(name) => set(index, { name })}
            />
            <IconButton
              icon={ArrowUp}
              label="Move up"
              size="small"
              testid={`label-up-${index}`}
              disabled={index === 0}
              onClick={() => onChange(moved(labels, index, index - 1))}
            />
            <IconButton
              icon={ArrowDown}
              label="Move down"
              size="small"
              testid={`label-down-${index}`}
              disabled={index === labels.length - 1}
              onClick={() => onChange(moved(labels, index, index + 1))}
            />
            <IconButton
              icon={X}
              label={`Remove ${label.name || "this label"}`}
              size="small"
              tone="bad"
              testid={`label-remove-${index}`}
              onClick={() => onChange(labels.filter((_, at) => at !== index))}
            />
          </li>
        ))}
      </ul>
      <Button
        size="small"
        icon={Plus}
        testid="label-add"
        onClick={() => onChange([...labels, { name: "", color: nextColor(labels) }])}
      >
        Add label
      </Button>
    </>
  );
}
