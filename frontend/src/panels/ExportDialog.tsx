/** Takes masks out of the open video, and lists what was taken out before. */
import { useState } from "preact/hooks";
import { KINDS, makeExport, mayRemove, useVideoExports } from "../api/exports";
import { asProblem } from "../api/load";
import { may } from "../api/roles";
import type { ExportKind } from "../api/types";
import { ExportList } from "../exports/ExportList";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { useStudio } from "../studio/context";
import css from "./ExportDialog.module.css";

export interface ExportDialogProps {
  video: number;
  /** The round that is shown, when it is not the head. */
  round: { id: number; number: number } | null;
  /** Nothing can be taken out before the first round. */
  empty: boolean;
  onClose: () => void;
}

export function ExportDialog({ video, round, empty, onClose }: ExportDialogProps) {
  const [kind, setKind] = useState<ExportKind>("davis");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const past = useVideoExports(video);
  const { store } = useStudio();
  const role = store.role.value;

  const make = async () => {
    setBusy(true);
    setProblem("");
    try {
      const made = await makeExport(video, kind, round?.id ?? null);
      past.set((list) => [made, ...list.filter((one) => one.id !== made.id)]);
    } catch (error) {
      setProblem(asProblem(error).message);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog title="Export masks" testid="export-dialog" onClose={onClose}>
      {may(role, "export") ? (
        <>
          <fieldset class={css.kinds}>
            <legend>{round ? `Masks of round ${round.number}, as` : "Masks as they stand now, as"}</legend>
            {KINDS.map((one) => (
              <label key={one.kind} class={css.kind}>
                <input
                  type="radio"
                  name="export-kind"
                  value={one.kind}
                  checked={kind === one.kind}
                  data-testid={`export-kind-${one.kind}`}
                  onChange={() => setKind(one.kind)}
                />
                <span>
                  <b>{one.name}</b>
                  <small>{one.note}</small>
                </span>
              </label>
            ))}
          </fieldset>
          {problem && (
            <p class={css.problem} role="alert" data-testid="export-problem">
              {problem}
            </p>
          )}
          <div class={css.foot}>
            <span data-testid="export-note">{noteOf(empty, store.active.value?.number)}</span>
            <Button tone="accent" testid="export-make" busy={busy} disabled={empty} onClick={make}>
              Export
            </Button>
          </div>
        </>
      ) : (
        <p class={css.note}>
          You look at this project as a viewer: exports are made by others and stand here.
        </p>
      )}
      {past.value && past.value.length > 0 && (
        <section class={css.past} aria-label="Exports of this video">
          <ExportList
            exports={past.value}
            removable={(one) => mayRemove(one, store.you.value?.id, role)}
            onChanged={past.reload}
          />
        </section>
      )}
      {!past.value && past.problem && <p class={css.problem}>{past.problem.message}</p>}
    </Dialog>
  );
}

function noteOf(empty: boolean, running: number | undefined): string {
  if (empty) return "There are no masks yet: run a round first.";
  if (running === undefined) return "";
  return `Round ${running} is not done: frames that it has not reached keep the masks from before.`;
}
