/** Before a job is submitted: what is not finished, with a way to go there. */
import { CircleAlert, CircleCheck } from "lucide-preact";
import { useState } from "preact/hooks";
import { moveJob } from "../actions/jobs";
import { goToPin } from "../actions/pins";
import { seek } from "../actions/playback";
import { call } from "../api/http";
import { useLoaded } from "../api/load";
import type { Job } from "../api/types";
import { plural } from "../format";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { TextField } from "../parts/Field";
import type { PinInfo } from "../protocol";
import type { Range } from "../state/ranges";
import { countOf, openPinsIn, type Unfinished, unfinishedIn } from "../state/unfinished";
import { useStudio } from "../studio/context";
import css from "./SubmitDialog.module.css";

/** One kind of what is not finished. */
interface Point {
  key: string;
  text: string;
  ranges: readonly Range[];
  /** Where this is usual, it is said without a warning. */
  mild?: boolean;
  /** It is opened by the button. */
  pin?: PinInfo;
}

/** `pins` are the open ones, by frame. `notLookedAt` comes from the server, which knows of other sittings, too. */
export function pointsOf(
  { lost, unsure, empty, notAccepted }: Unfinished,
  pins: readonly PinInfo[],
  notLookedAt: readonly Range[],
): Point[] {
  const frames = (ranges: readonly Range[]) => plural(countOf(ranges), "frame");
  const points: Point[] = lost.map(({ number, name, ranges }) => ({
    key: `lost-${number}`,
    text: `“${name}” is lost in ${frames(ranges)}`,
    ranges,
  }));
  if (unsure.length) points.push({ key: "unsure", text: `${frames(unsure)} to fix`, ranges: unsure });
  if (empty.length) points.push({ key: "empty", text: `${frames(empty)} without a mask`, ranges: empty });
  const [pin] = pins;
  if (pin)
    points.push({
      key: "pins",
      text: plural(pins.length, "open pin"),
      ranges: pins.map(({ frame }) => [frame, frame]),
      pin,
    });
  if (notLookedAt.length)
    points.push({
      key: "looked",
      text: `${frames(notLookedAt)} not looked at`,
      ranges: notLookedAt,
      mild: true,
    });
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
  const left = useLoaded(`what is unfinished in job ${job.id}`, () =>
    call("GET", "/api/jobs/{job_id}/unfinished", { path: { job_id: job.id } }),
  );
  const points = pointsOf(
    unfinishedIn(studio.store, job.first, job.last),
    openPinsIn(studio.store, job.first, job.last),
    left.value?.not_looked_at ?? [],
  );
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
      {points.length === 0 && left.value && (
        <p class={css.fine} data-testid="submit-finished">
          <CircleCheck size={16} aria-hidden="true" /> Every frame has a mask and is accepted.
        </p>
      )}
      {points.length > 0 && (
        <ul class={css.points} data-testid="submit-unfinished">
          {points.map(({ key, text, ranges, mild, pin }) => (
            <li key={key}>
              {mild ? <span /> : <CircleAlert size={15} aria-hidden="true" />}
              <span>{text}</span>
              <Button
                size="small"
                testid={`submit-go-${key}`}
                onClick={() => {
                  onClose();
                  if (pin) goToPin(studio, pin);
                  else seek(studio, (ranges[0] as Range)[0]);
                }}
              >
                Go to {(ranges[0] as Range)[0].toLocaleString("en")}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {left.problem && <p>Which frames you looked at is not known: {left.problem.message}</p>}
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
