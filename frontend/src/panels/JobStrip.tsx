/**
 * Below the top bar: the job in hand, its state, what it is about, and the moves that the person may make; below it, while
 * somebody reviews, the place that they look at.
 */
import { Info, Lock, MapPin, MessageSquareText } from "lucide-preact";
import { moveJob } from "../actions/jobs";
import { seek } from "../actions/playback";
import { placesLeft } from "../actions/review";
import type { Job } from "../api/types";
import { plural } from "../format";
import { DueChip, JobStateChip, PriorityChip } from "../jobs/Chip";
import { NoteText, writerOf } from "../jobs/Note";
import { rangeOf } from "../jobs/words";
import { Button } from "../parts/Button";
import { Menu } from "../parts/Menu";
import { outsideOf } from "../state/jobs";
import { commandOf } from "../studio/command";
import { useStudio } from "../studio/context";
import { CommandButton, CommandIcon } from "./CommandButton";
import css from "./JobStrip.module.css";

export function JobStrip() {
  const { store } = useStudio();
  const job = store.job.value;
  const reviewing = store.review.value !== null;
  if (!job && !reviewing) return null;
  return (
    <div class={css.strips}>
      {job && <Strip job={job} />}
      {reviewing && <ReviewStrip />}
    </div>
  );
}

function Strip({ job }: { job: Job }) {
  return (
    <section
      class={css.strip}
      aria-label="Job"
      data-testid="job-strip"
      data-state={`${job.stage}-${job.state}`}
    >
      <Which job={job} />
      <JobStateChip job={job} testid="job-state" />
      <span class={css.chips}>
        <DueChip job={job} />
        <PriorityChip priority={job.priority} />
      </span>
      <Progress job={job} />
      {job.instructions && (
        <Menu
          label="Instructions of this job"
          testid="job-instructions"
          class={css.instructions}
          heading={<span class={css.text}>{job.instructions}</span>}
          items={[]}
        >
          <Info size={15} aria-hidden="true" /> <span>Instructions</span>
        </Menu>
      )}
      <NoteButton note={job.note} />
      <PinsButton />
      <span class={css.grow} />
      <Moves job={job} />
      <CommandButton id="job.next" label="Next job" size="small" />
    </section>
  );
}

/** Whose job it is and which frames it has. Where the frame in view is outside, it says so and leads back. */
function Which({ job }: { job: Job }) {
  const studio = useStudio();
  const { store } = studio;
  const frames = store.video.value?.frame_count ?? 0;
  const frame = store.frame.value;
  const others = outsideOf(job, frames);
  const away = others.some(([first, last]) => first <= frame && frame <= last);
  const mine = job.assignee?.id === store.you.value?.id;
  const whose = mine ? "Your job" : job.assignee ? `Job of ${job.assignee.name}` : "A job nobody has";
  return (
    <span class={css.which}>
      <b>{whose}</b>
      {away ? (
        <button
          type="button"
          class={css.away}
          title="Go back into the job"
          data-testid="job-outside"
          onClick={() => seek(studio, frame < job.first ? job.first : job.last)}
        >
          <Lock size={13} aria-hidden="true" />
          frame {frame.toLocaleString("en")} is outside: {rangeOf(job)}
        </button>
      ) : (
        <span class={others.length === 0 ? css.whole : undefined}>{rangeOf(job)}</span>
      )}
    </span>
  );
}

/** The accepted frames of the job. They are counted here, so that the number follows what the person does. */
function Progress({ job }: { job: Job }) {
  const { store } = useStudio();
  const total = job.last - job.first + 1;
  let accepted = 0;
  for (const frame of store.accepted.value.keys()) if (frame >= job.first && frame <= job.last) accepted += 1;
  return (
    <span class={css.progress} data-testid="job-progress">
      <span aria-hidden="true">
        <i style={{ width: `${(100 * accepted) / total}%` }} />
      </span>
      {accepted.toLocaleString("en")} of {total.toLocaleString("en")} accepted
    </span>
  );
}

/** The beginning of what was written with the last submission or decision; a click shows all of it. */
function NoteButton({ note }: Pick<Job, "note">) {
  if (!note) return null;
  return (
    <Menu
      label={`Note of ${writerOf(note)}`}
      testid="job-note"
      class={`${css.instructions} ${css.note}`}
      heading={<NoteText note={note} testid="job-note-text" />}
      items={[]}
    >
      <MessageSquareText size={15} aria-hidden="true" />
      <span>
        <b>{writerOf(note)}</b> {note.text}
      </span>
    </Menu>
  );
}

/** How many pins are open. A click goes to the next one. */
function PinsButton() {
  const studio = useStudio();
  const open = studio.store.pins.value.filter((pin) => pin.resolved_at === null).length;
  if (!open) return null;
  return (
    <button
      type="button"
      class={css.pins}
      title="Next open pin (Shift+J)"
      data-testid="job-pins"
      onClick={() => commandOf(studio.commands, "pin.next").perform()}
    >
      <MapPin size={14} aria-hidden="true" />
      {plural(open, "open pin")}
    </button>
  );
}

/** The reviewer's mode: the place that is looked at, why, and what to do with it. */
function ReviewStrip() {
  const studio = useStudio();
  const place = studio.store.review.value?.place;
  const left = placesLeft(studio).length;
  return (
    <section class={css.strip} aria-label="Review" data-testid="review-strip">
      <b class={css.title}>Review</b>
      {place ? (
        <span class={css.place} data-testid="review-place">
          {place.span[0] === place.span[1]
            ? `frame ${place.span[0].toLocaleString("en")}`
            : `frames ${place.span[0].toLocaleString("en")} to ${place.span[1].toLocaleString("en")}`}
          {" · "}
          {place.reason}
        </span>
      ) : (
        <span class={css.place} data-testid="review-done">
          Everything was looked at.
        </span>
      )}
      <span class={css.left}>{left > 0 ? `${plural(left, "place")} left` : ""}</span>
      <span class={css.grow} />
      <CommandIcon id="review.back" size="small" />
      <CommandButton id="review.accept" label="Accept" size="small" />
      <CommandButton id="pin.add" label="Pin" size="small" />
      <CommandButton id="review.next" label="Skip" size="small" />
      <CommandButton id="review.toggle" label="End review" size="small" />
    </section>
  );
}

const QUIET = { start: "Start", reopen: "Reopen", retract: "Take back the review" } as const;

function Moves({ job }: { job: Job }) {
  const studio = useStudio();
  return (
    <>
      {(Object.keys(QUIET) as (keyof typeof QUIET)[])
        .filter((action) => job.moves.includes(action))
        .map((action) => (
          <Button
            key={action}
            size="small"
            tone="quiet"
            testid={`job-${action}`}
            onClick={() => void moveJob(studio, job, action)}
          >
            {QUIET[action]}
          </Button>
        ))}
      {job.moves.includes("accept") && studio.store.review.value === null && (
        <CommandButton id="review.toggle" label="Review" size="small" />
      )}
      {job.moves.includes("reject") && <CommandButton id="job.reject" label="Send back" size="small" />}
      {job.moves.includes("accept") && <CommandButton id="job.accept" label="Accept" size="small" />}
      {job.moves.includes("submit") && <CommandButton id="job.submit" label="Submit" size="small" />}
    </>
  );
}
