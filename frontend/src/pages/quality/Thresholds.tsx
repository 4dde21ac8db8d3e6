/** What the project asks of a submission: the least J&F against hidden ground truth, and what happens below it. */
import { useAttempt } from "../../api/attempt";
import { call } from "../../api/http";
import { useLoaded } from "../../api/load";
import { may } from "../../api/roles";
import type { Project, Quality } from "../../api/types";
import { Button } from "../../parts/Button";
import { SelectField, TextField } from "../../parts/Field";
import { ListGhost } from "../../parts/FramedList";
import { toast } from "../../parts/Toast";
import { useDraft } from "../draft";
import form from "../Form.module.css";
import { FormProblem } from "../FormProblem";
import { ProblemState } from "../ProblemState";

export function Thresholds({ project }: { project: Project }) {
  const path = { project_id: project.id };
  const loaded = useLoaded(`quality ${project.id}`, () =>
    call("GET", "/api/projects/{project_id}/quality", { path }),
  );
  const rule = loaded.value;
  if (!rule)
    return loaded.problem ? <ProblemState problem={loaded.problem} retry={loaded.reload} /> : <ListGhost />;
  if (!may(project.role, "change_project")) return <p class={form.note}>{inWords(rule)}</p>;
  return <Change project={project} rule={rule} onChange={loaded.set} />;
}

/** Says the rule in a sentence, for those who may not change it. */
export function inWords({ least_jf, below, attempts }: Quality): string {
  if (least_jf === null) return "Submissions are not checked against ground truth.";
  const consequence =
    below === "flag"
      ? "is shown to reviewers with a flag"
      : `goes back to its annotator, up to ${attempts === 1 ? "once" : `${attempts} times`}`;
  return `A submission with a J&F below ${least_jf} ${consequence}.`;
}

interface ChangeProps {
  project: Project;
  rule: Quality;
  onChange: (rule: Quality) => void;
}

function Change({ project, rule, onChange }: ChangeProps) {
  const least = useDraft(rule.least_jf === null ? "" : String(rule.least_jf));
  const below = useDraft<string>(rule.below);
  const attempts = useDraft(String(rule.attempts));
  const { busy, problem, attempt } = useAttempt();
  const number = Number(least.value.replace(",", "."));
  const valid = !least.value.trim() || (number >= 0 && number <= 1);
  const times = Number(attempts.value);
  const holds = below.value === "hold"; // Only then the number of attempts is asked for.
  const dirty = least.dirty || below.dirty || attempts.dirty;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const sent = { least: least.value, below: below.value, attempts: attempts.value };
    attempt(async () => {
      const body = {
        least_jf: sent.least.trim() ? number : null,
        below: sent.below as Quality["below"],
        attempts: holds ? times : rule.attempts,
      };
      onChange(
        await call("PATCH", "/api/projects/{project_id}/quality", { path: { project_id: project.id }, body }),
      );
      least.done(sent.least);
      below.done(sent.below);
      attempts.done(sent.attempts);
      toast({
        text: body.least_jf === null ? "Submissions are not checked any more." : "The rule is saved.",
      });
    });
  };
  return (
    <form class={form.form} onSubmit={submit} data-testid="quality-form">
      <TextField
        label="Least J&F"
        testid="quality-least"
        value={least.value}
        onInput={least.set}
        placeholder="not checked"
        hint="Between 0 and 1, on the frames with ground truth. Empty: nothing is checked."
        {...(valid ? {} : { error: "A number between 0 and 1, such as 0.8." })}
      />
      <SelectField
        label="A submission below it"
        testid="quality-below"
        value={below.value}
        options={[
          { value: "flag", name: "Is flagged for reviewers" },
          { value: "hold", name: "Goes back to its annotator" },
        ]}
        onChange={below.set}
      />
      {holds && (
        <TextField
          label="How often at most"
          type="number"
          testid="quality-attempts"
          value={attempts.value}
          onInput={attempts.set}
          hint="After that it is flagged, so that nobody has to guess."
        />
      )}
      <FormProblem testid="quality-problem" text={problem} />
      <div>
        <Button
          type="submit"
          tone="accent"
          testid="quality-save"
          busy={busy}
          disabled={!dirty || !valid || (holds && !(times >= 1))}
        >
          Save
        </Button>
      </div>
    </form>
  );
}
