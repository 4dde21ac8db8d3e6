/** Why the server refused what a form sent, in a sentence that screen readers say at once. Nothing without a text. */
import form from "./Form.module.css";

export function FormProblem({ testid, text }: { testid: string; text: string | null | undefined }) {
  if (!text) return null;
  return (
    <p class={form.problem} role="alert" data-testid={testid}>
      {text}
    </p>
  );
}
