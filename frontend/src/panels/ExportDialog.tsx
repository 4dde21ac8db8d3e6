/** Exports masks of the open video, and lists its earlier exports. */
import { useState } from "preact/hooks";
import { makeExport, makeJobExport, mayRemove, useExportFormats, useVideoExports } from "../api/exports";
import { asProblem } from "../api/load";
import { may } from "../api/roles";
import { type Choices, EVERYTHING, ExportChoices, optionsOf } from "../exports/ExportChoices";
import { ExportList } from "../exports/ExportList";
import { rangeOf } from "../jobs/words";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { CheckField } from "../parts/Field";
import { outsideOf } from "../state/jobs";
import { useStudio } from "../studio/context";
import css from "./ExportDialog.module.css";

export interface ExportDialogProps {
  video: number;
  /** The round that is shown if it is not the head, else null. */
  round: { id: number; number: number } | null;
  /** The video has no round yet, so there is nothing to export. */
  empty: boolean;
  onClose: () => void;
}

export function ExportDialog({ video, round, empty, onClose }: ExportDialogProps) {
  const formats = useExportFormats();
  const [picked, setPicked] = useState<string | null>(null);
  const format = picked ?? formats.value?.[0]?.name;
  const takes = formats.value?.find(({ name }) => name === format)?.takes;
  const [choices, setChoices] = useState<Choices>(EVERYTHING);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const past = useVideoExports(video);
  const { store } = useStudio();
  const role = store.role.value;
  const job = store.job.value;
  const isPart = job !== null && outsideOf(job, job.video_frames).length > 0;
  const [ofJob, setOfJob] = useState(true);

  const make = async () => {
    if (format === undefined) return;
    setBusy(true);
    setProblem("");
    try {
      const [at, options] = [round?.id ?? null, optionsOf(choices, takes)];
      const made =
        isPart && ofJob
          ? await makeJobExport(job.id, format, at, options)
          : await makeExport(video, format, at, options);
      past.set((list) => [made, ...list.filter((exported) => exported.id !== made.id)]);
    } catch (error) {
      setProblem(asProblem(error).message);
    } finally {
      setBusy(false);
    }
  };

  const failure = problem || formats.problem?.message;
  return (
    <Dialog title="Export masks" testid="export-dialog" onClose={onClose}>
      {may(role, "export") ? (
        <>
          <fieldset class={css.kinds}>
            <legend>{round ? `Masks of round ${round.number}, as` : "Masks as they stand now, as"}</legend>
            {formats.value?.map(({ name, title, note }) => (
              <label key={name} class={css.kind}>
                <input
                  type="radio"
                  name="export-kind"
                  value={name}
                  checked={format === name}
                  data-testid={`export-kind-${name}`}
                  onChange={() => setPicked(name)}
                />
                <span>
                  <b>{title}</b>
                  <small>{note}</small>
                </span>
              </label>
            ))}
          </fieldset>
          {isPart && (
            <div class={css.part}>
              <CheckField
                label={`Only ${rangeOf(job)}, those of the job`}
                testid="export-of-job"
                checked={ofJob}
                onChange={setOfJob}
              />
            </div>
          )}
          <ExportChoices
            choices={choices}
            spans
            takes={takes}
            labels={store.labels.value}
            onChange={setChoices}
          />
          {failure && (
            <p class={css.problem} role="alert" data-testid="export-problem">
              {failure}
            </p>
          )}
          <div class={css.foot}>
            <span data-testid="export-note">{noteOf(empty, store.active.value?.number)}</span>
            <Button
              tone="accent"
              testid="export-make"
              busy={busy}
              disabled={empty || format === undefined}
              onClick={make}
            >
              Export
            </Button>
          </div>
        </>
      ) : (
        <p class={css.note}>As a viewer you cannot export masks. Exports that others make are listed here.</p>
      )}
      {past.value && past.value.length > 0 && (
        <section class={css.past} aria-label="Exports of this video">
          <ExportList
            exports={past.value}
            formats={formats.value}
            removable={(exported) => mayRemove(exported, store.you.value?.id, role)}
            onChanged={past.reload}
          />
        </section>
      )}
      {!past.value && past.problem && <p class={css.problem}>{past.problem.message}</p>}
    </Dialog>
  );
}

function noteOf(empty: boolean, running: number | undefined): string {
  if (empty) return "There are no masks yet. Run a round first.";
  if (running === undefined) return "";
  return `Round ${running} is still running. Frames that it has not reached are exported with their earlier masks.`;
}
