/** Before a job is submitted: what is not finished, with a way to go there. */
import { CircleAlert, CircleCheck } from "lucide-preact";
import { useState } from "preact/hooks";
import { moveJob } from "../actions/jobs";
import { seek } from "../actions/playback";
import type { Job } from "../api/types";
import { plural } from "../format";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { TextField } from "../parts/Field";
import type { Range } from "../state/lost";
import { countOf, type Unfinished, unfinishedIn } from "../state/unfinished";
import { useStudio } from "../studio/context";
import css from "./SubmitDialog.module.css";

/** One kind of what is not finished. */
interface Point {
  key: string;
  text: string;
  ranges: readonly Range[];
  /** Where this is usual, it is said without a warning. */
  mild?: boolean;
}

export function pointsOf({ lost, unsure, empty, notAccepted }: Unfinished): Point[] {
  const frames = (ranges: readonly Range[]) => plural(countOf(ranges), "frame");
  const points: Point[] = lost.map(({ number, name, ranges }) => ({
    key: `lost-${number}`,
    text: `“${name}” is lost in ${frames(ranges)}`,
    ranges,
  }));
  if (unsure.length) points.push({ key: "unsure", text: `${frames(unsure)} to fix`, ranges: unsure });
  if (empty.length) points.push({ key: "empty", text: `${frames(empty)} without a mask`, ranges: empty });
  if (notAccepted.length)
    points.push({
      key: "accepted",
      text: `${frames(notAccepted)} not accepted`,
      ranges: notAccepted,
      mild: true,
    });
  return points;
}

export function SubmitDialog({ job, onClose }: { job: Job; onClose: () => void }) {
  const studio = useStudio();
  const [busy, setBusy] = useState(false);
  const [note, setNote] = useState("");
  const points = pointsOf(unfinishedIn(studio.store, job.first, job.last));
  const open = points.filter((point) => !point.mild).length;
  const submit = async () => {
    setBusy(true);
    if (await moveJob(studio, job, "submit", note.trim())) onClose();
    setBusy(false);
  };
  return (
    <Dialog
      title="Submit the job"
      testid="submit-dialog"
      onClose={onClose}
      footer={
        <>
          <Button testid="submit-cancel" onClick={onClose}>
            Go on working
          </Button>
          <Button testid="submit-yes" tone="accent" busy={busy} autofocus onClick={submit}>
            {open ? "Submit as it is" : "Submit"}
          </Button>
        </>
      }
    >
      {points.length === 0 && (
        <p class={css.fine} data-testid="submit-finished">
          <CircleCheck size={16} aria-hidden="true" /> Every frame has a mask and is accepted.
        </p>
      )}
      {points.length > 0 && (
        <ul class={css.points} data-testid="submit-unfinished">
          {points.map(({ key, text, ranges, mild }) => (
            <li key={key}>
              {mild ? <span /> : <CircleAlert size={15} aria-hidden="true" />}
              <span>{text}</span>
              <Button
                size="small"
                testid={`submit-go-${key}`}
                onClick={() => {
                  onClose();
                  seek(studio, (ranges[0] as Range)[0]);
                }}
              >
                Go to {(ranges[0] as Range)[0].toLocaleString("en")}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <TextField
        label="Note for the reviewer"
        testid="submit-note"
        rows={2}
        value={note}
        onInput={setNote}
        maxLength={2000}
      />
    </Dialog>
  );
}

/** Says to the annotator why their job comes back. */
export function RejectDialog({ job, onClose }: { job: Job; onClose: () => void }) {
  const studio = useStudio();
  const [busy, setBusy] = useState(false);
  const [note, setNote] = useState("");
  const reject = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    if (await moveJob(studio, job, "reject", note.trim())) onClose();
    setBusy(false);
  };
  return (
    <Dialog
      title={job.assignee ? `Send the job back to ${job.assignee.name}` : "Send the job back"}
      size="small"
      testid="reject-dialog"
      onClose={onClose}
      footer={
        <>
          <Button testid="reject-cancel" onClick={onClose}>
            Cancel
          </Button>
          <Button testid="reject-yes" tone="bad" type="submit" form="reject-form" busy={busy}>
            Send back
          </Button>
        </>
      }
    >
      <form id="reject-form" onSubmit={reject}>
        <TextField
          label="What has to change"
          testid="reject-note"
          rows={4}
          value={note}
          onInput={setNote}
          maxLength={2000}
          autofocus
        />
      </form>
    </Dialog>
  );
}
