/** The dialog that creates a project and opens it. */
import { useState } from "preact/hooks";
import { call } from "../api/http";
import { asProblem } from "../api/load";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { TextField } from "../parts/Field";
import { go } from "../route";
import css from "./Form.module.css";

export function NewProject({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [guide, setGuide] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      const project = await call("POST", "/api/projects", {
        body: { name: name.trim(), guide: guide.trim() },
      });
      onClose();
      go(`/projects/${project.id}`);
    } catch (error) {
      setProblem(asProblem(error).message);
      setBusy(false);
    }
  };

  return (
    <Dialog
      title="New project"
      testid="new-project"
      onClose={onClose}
      footer={
        <>
          <Button testid="new-project-cancel" onClick={onClose}>
            Cancel
          </Button>
          <Button
            testid="new-project-create"
            type="submit"
            form="new-project-form"
            tone="accent"
            busy={busy}
            disabled={!name.trim()}
          >
            Create project
          </Button>
        </>
      }
    >
      <form id="new-project-form" class={css.form} onSubmit={submit}>
        <TextField
          label="Name"
          testid="new-project-name"
          value={name}
          onInput={setName}
          maxLength={120}
          required
          autofocus
        />
        <TextField
          label="Guide"
          testid="new-project-guide"
          value={guide}
          onInput={setGuide}
          rows={4}
          maxLength={20_000}
          hint="What to cut out, and how: annotators read it beside the videos. You can write it later."
        />
        {problem && (
          <p class={css.problem} role="alert" data-testid="new-project-problem">
            {problem}
          </p>
        )}
      </form>
    </Dialog>
  );
}
