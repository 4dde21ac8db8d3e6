/** What was written with the last submission or decision about a job, for the person whose turn it is now. */
import type { Job } from "../api/types";
import css from "./Note.module.css";

type Note = NonNullable<Job["note"]>;

/** Who wrote a note: a person, or the check that compares submissions with ground truth. */
export function writerOf(note: Note): string {
  return note.by?.name ?? "Automatic check";
}

/** The note in full. */
export function NoteText({ note, testid }: { note: Note; testid: string }) {
  return (
    <blockquote class={css.note} data-testid={testid}>
      <b>{writerOf(note)}</b>
      <p>{note.text}</p>
    </blockquote>
  );
}
