/** How a team works in a project: what annotators see, whether jobs are reviewed, and what pins may be about. */
import { useAttempt } from "../api/attempt";
import { call } from "../api/http";
import type { Project } from "../api/types";
import { Button } from "../parts/Button";
import { SelectField, TextField } from "../parts/Field";
import { toast } from "../parts/Toast";
import { useDraft } from "./draft";
import css from "./SettingsTab.module.css";
import type { TabProps } from "./tab";

export function TeamSettings({ project, onChange }: TabProps) {
  const sees = useDraft<string>(project.sees);
  const review = useDraft(project.review ? "yes" : "no");
  const reasons = useDraft(project.pin_reasons.join("\n"));
  const { busy, problem, attempt } = useAttempt();
  const dirty = sees.dirty || review.dirty || reasons.dirty;

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void attempt(async () => {
      const sent = { sees: sees.value, review: review.value, reasons: reasons.value };
      onChange(
        await call("PATCH", "/api/projects/{project_id}", {
          path: { project_id: project.id },
          body: {
            sees: sent.sees as Project["sees"],
            review: sent.review === "yes",
            pin_reasons: linesOf(sent.reasons),
          },
        }),
      );
      sees.done(sent.sees);
      review.done(sent.review);
      reasons.done(sent.reasons);
      toast({ text: "The settings are saved." });
    });
  };

  return (
    <form class={css.form} onSubmit={submit} data-testid="team-settings">
      <h2 class={css.title}>Team</h2>
      <SelectField
        label="Annotators see"
        testid="settings-sees"
        value={sees.value}
        options={[
          { value: "all", name: "All videos" },
          { value: "jobs", name: "Only videos in which they have a job" },
        ]}
        onChange={sees.set}
        hint="With only their jobs, they change no frame outside of them."
      />
      <SelectField
        label="A job that is submitted"
        testid="settings-review"
        value={review.value}
        options={[
          { value: "no", name: "Goes to its reviewer, if it has one" },
          { value: "yes", name: "Always goes to a reviewer" },
        ]}
        onChange={review.set}
      />
      <TextField
        label="Reasons for pins, one a line"
        rows={5}
        testid="settings-reasons"
        value={reasons.value}
        onInput={reasons.set}
        error={problem}
      />
      <div>
        <Button type="submit" tone="accent" testid="settings-team-save" busy={busy} disabled={!dirty}>
          Save
        </Button>
      </div>
    </form>
  );
}

export function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}
