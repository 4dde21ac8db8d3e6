/** Asks what the labels of a file are, when the project does not have them. */
import { useState } from "preact/hooks";
import { may } from "../api/roles";
import type { Project } from "../api/types";
import { Button } from "../parts/Button";
import { SelectField } from "../parts/Field";
import css from "./ImportMasks.module.css";
import type { Labels } from "./imports";

const MAKE = "+"; // No label has this name, because names of labels in options begin with "=".
const NONE = "-";

export interface LabelQuestionProps {
  labels: readonly string[];
  project: Project;
  onAnswer: (labels: Labels) => void;
  onCancel: () => void;
}

export function LabelQuestion({ labels, project, onAnswer, onCancel }: LabelQuestionProps) {
  const makes = may(project.role, "make_labels");
  const [chosen, setChosen] = useState<Record<string, string>>({});
  const choiceOf = (label: string) => chosen[label] ?? (makes ? MAKE : NONE);
  const answer = () => {
    const meant = (label: string) => {
      const choice = choiceOf(label);
      if (choice === NONE) return null;
      return choice === MAKE ? label.slice(0, 60) : choice.slice(1);
    };
    onAnswer(Object.fromEntries(labels.map((label) => [label, meant(label)])));
  };
  return (
    <div class={css.choices}>
      <p class={css.note}>The project does not have these labels of the file. What are they here?</p>
      {labels.map((label, index) => (
        <SelectField
          key={label}
          label={label}
          testid={`import-label-${index}`}
          value={choiceOf(label)}
          options={[
            { value: MAKE, name: `a new label “${label}”`, disabled: !makes },
            ...project.labels.map(({ name }) => ({ value: `=${name}`, name })),
            { value: NONE, name: "no label" },
          ]}
          onChange={(value) => setChosen({ ...chosen, [label]: value })}
        />
      ))}
      <div class={css.foot}>
        <Button testid="import-cancel" onClick={onCancel}>
          Cancel
        </Button>
        <Button tone="accent" testid="import-answer" onClick={answer}>
          Import
        </Button>
      </div>
    </div>
  );
}
