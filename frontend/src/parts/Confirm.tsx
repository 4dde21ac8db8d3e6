/** Asks before something that cannot be undone. `await confirm({...})` is true if the person agreed. */
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { TextField } from "./Field";

export interface Question {
  title: string;
  text: string;
  /** The text of the button, e.g. "Delete project". */
  yes: string;
  tone?: "accent" | "bad";
  /** If given, the person must type this text first. For deletions that affect many people. */
  typed?: string;
}

/** The question that is shown, null if there is none. */
export const asked = signal<(Question & { answer: (agreed: boolean) => void }) | null>(null);

export function confirm(question: Question): Promise<boolean> {
  asked.value?.answer(false);
  return new Promise((resolve) => {
    asked.value = {
      ...question,
      answer: (agreed) => {
        asked.value = null;
        resolve(agreed);
      },
    };
  });
}

/** The dialog; it is rendered once in the page. */
export function Confirms() {
  const question = asked.value;
  return question && <Ask key={question.title} question={question} answer={question.answer} />;
}

function Ask({ question, answer }: { question: Question; answer: (agreed: boolean) => void }) {
  const [typed, setTyped] = useState("");
  const ready = !question.typed || typed.trim() === question.typed;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (ready) answer(true);
  };
  return (
    <Dialog
      title={question.title}
      size="small"
      testid="confirm"
      onClose={() => answer(false)}
      footer={
        <>
          <Button testid="confirm-no" onClick={() => answer(false)}>
            Cancel
          </Button>
          <Button
            testid="confirm-yes"
            type="submit"
            form="confirm-form"
            tone={question.tone ?? "bad"}
            disabled={!ready}
            autofocus={!question.typed}
          >
            {question.yes}
          </Button>
        </>
      }
    >
      <form id="confirm-form" onSubmit={submit}>
        <p style={{ margin: "0 0 12px", color: "var(--text-2)" }}>{question.text}</p>
        {question.typed && (
          <TextField
            label={`Type “${question.typed}” to go on`}
            testid="confirm-typed"
            value={typed}
            onInput={setTyped}
            autofocus
          />
        )}
      </form>
    </Dialog>
  );
}
