/** Asks where the objects of removed labels go, before the labels are deleted. */
import { useState } from "preact/hooks";
import { useAttempt } from "../api/attempt";
import type { Label, LabelDraft } from "../api/types";
import { plural } from "../format";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { SelectField } from "../parts/Field";
import css from "./Form.module.css";

/** A label that is about to be deleted, and the number of objects that have it. */
export interface LabelInUse {
  id: number;
  name: string;
  objects: number;
}

/** Where the objects of a label go: to a label that stays, or to none. */
export interface LabelMove {
  label: number;
  to: number | null;
}

export interface LabelsInUseProps {
  inUse: readonly LabelInUse[];
  /** The labels as they will be saved. */
  labels: readonly LabelDraft[];
  /** Saves with the answer. A refusal is shown in the dialog. */
  onAnswer: (moves: LabelMove[]) => Promise<unknown>;
  onClose: () => void;
}

export function LabelsInUse({ inUse, labels, onAnswer, onClose }: LabelsInUseProps) {
  const [answers, setAnswers] = useState<Record<number, string>>({});
  const { busy, problem, attempt } = useAttempt();
  const stored = labels.filter((label): label is Label => typeof label.id === "number");
  const options = [
    { value: "", name: "No label" },
    ...stored.map(({ id, name }) => ({ value: String(id), name })),
  ];
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const moves = inUse.map(({ id }) => ({ label: id, to: answers[id] ? Number(answers[id]) : null }));
    if (await attempt(() => onAnswer(moves))) onClose();
  };
  return (
    <Dialog
      title={inUse.length === 1 ? `Delete the label ${inUse[0]?.name}?` : `Delete ${inUse.length} labels?`}
      size="small"
      testid="labels-in-use"
      onClose={onClose}
      footer={
        <>
          <Button testid="labels-in-use-cancel" onClick={onClose}>
            Cancel
          </Button>
          <Button testid="labels-in-use-yes" type="submit" form="labels-in-use-form" tone="bad" busy={busy}>
            {inUse.length === 1 ? "Delete label" : "Delete labels"}
          </Button>
        </>
      }
    >
      <form id="labels-in-use-form" class={css.form} onSubmit={submit}>
        <p class={css.note}>
          The objects stay. A deleted label is in the trash, and comes back with its objects.
        </p>
        {inUse.map(({ id, name, objects }) => (
          <SelectField
            key={id}
            label={`The ${plural(objects, "object")} of ${name} get`}
            testid={`labels-in-use-${id}`}
            value={answers[id] ?? ""}
            options={options}
            onChange={(to) => setAnswers({ ...answers, [id]: to })}
          />
        ))}
        {problem && (
          <p class={css.problem} role="alert" data-testid="labels-in-use-problem">
            {problem}
          </p>
        )}
      </form>
    </Dialog>
  );
}
