/** Exports all videos of a project in one file. */
import { useState } from "preact/hooks";
import { makeProjectExport } from "../api/exports";
import { asProblem } from "../api/load";
import type { ExportFormat, Project } from "../api/types";
import { type Choices, EVERYTHING, ExportChoices, optionsOf } from "../exports/ExportChoices";
import { Button } from "../parts/Button";
import { SelectField } from "../parts/Field";
import css from "./Form.module.css";

export interface ExportProjectProps {
  project: Pick<Project, "id" | "labels">;
  formats: readonly ExportFormat[];
  /** Called after an export was started. */
  onMade: () => void;
}

export function ExportProject({ project, formats, onMade }: ExportProjectProps) {
  const able = formats.filter((format) => format.of_project);
  const [picked, setPicked] = useState<string | null>(null);
  const [choices, setChoices] = useState<Choices>(EVERYTHING);
  const [validation, setValidation] = useState("0");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const format = able.find(({ name }) => name === picked) ?? able[0];

  const make = async () => {
    if (!format) return;
    setBusy(true);
    setProblem("");
    try {
      const splits = validation === "0" ? {} : { val_percent: Number(validation) };
      await makeProjectExport(project.id, format.name, { ...optionsOf(choices, format.takes), ...splits });
      onMade();
    } catch (error) {
      setProblem(asProblem(error).message);
    } finally {
      setBusy(false);
    }
  };

  return (
    <div class={css.form}>
      <div class={css.row}>
        <div class={css.grow}>
          <SelectField
            label="All videos that have masks, as"
            testid="export-project-format"
            value={format?.name ?? ""}
            options={able.map(({ name, title }) => ({ value: name, name: title }))}
            onChange={setPicked}
            hint={format?.note ?? ""}
          />
        </div>
        <Button testid="export-project-make" tone="accent" busy={busy} disabled={!format} onClick={make}>
          Export project
        </Button>
      </div>
      <SelectField
        label="Training and validation"
        testid="export-project-split"
        value={validation}
        options={[
          { value: "0", name: "not divided" },
          ...["10", "20", "30", "50"].map((value) => ({
            value,
            name: `${value} % of the videos for validation`,
          })),
        ]}
        onChange={setValidation}
      />
      <ExportChoices choices={choices} takes={format?.takes} labels={project.labels} onChange={setChoices} />
      {problem && (
        <p class={css.problem} role="alert" data-testid="export-project-problem">
          {problem}
        </p>
      )}
    </div>
  );
}
