/** The dialog that exports each of the selected videos to a file of its own. */
import { useState } from "preact/hooks";
import { makeExport, useExportFormats } from "../api/exports";
import { asProblem } from "../api/load";
import type { Card } from "../api/types";
import { plural } from "../format";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { SelectField } from "../parts/Field";
import { toast } from "../parts/Toast";
import css from "./Form.module.css";

export function ExportVideos({ videos, onClose }: { videos: readonly Card[]; onClose: () => void }) {
  const formats = useExportFormats();
  const [picked, setPicked] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const format = formats.value?.find(({ name }) => name === picked) ?? formats.value?.[0];
  const worked = videos.filter((video) => video.rounds > 0);
  const rest = videos.length - worked.length;

  const make = async () => {
    if (!format) return;
    setBusy(true);
    setProblem("");
    let made = 0;
    try {
      for (const video of worked) {
        await makeExport(video.id, format.name, null);
        made += 1;
      }
      toast({ text: `${plural(made, "export")} started. The files come to the tab Exports.` });
      onClose();
    } catch (error) {
      setProblem(`${plural(made, "export")} started, then: ${asProblem(error).message}`);
      setBusy(false);
    }
  };

  return (
    <Dialog
      title={`Export ${plural(worked.length, "video")}`}
      size="small"
      testid="export-videos"
      onClose={onClose}
      footer={
        <>
          <Button testid="export-videos-cancel" onClick={onClose}>
            Cancel
          </Button>
          <Button
            testid="export-videos-make"
            tone="accent"
            busy={busy}
            disabled={!format || !worked.length}
            onClick={make}
          >
            Export
          </Button>
        </>
      }
    >
      <div class={css.form}>
        <SelectField
          label="Format"
          testid="export-videos-format"
          value={format?.name ?? ""}
          options={(formats.value ?? []).map(({ name, title }) => ({ value: name, name: title }))}
          onChange={setPicked}
          hint={format?.note ?? ""}
          error={formats.problem?.message}
        />
        {rest > 0 && (
          <p class={css.note}>{plural(rest, "video has", "videos have")} no masks yet and are left out.</p>
        )}
        {problem && (
          <p class={css.problem} role="alert" data-testid="export-videos-problem">
            {problem}
          </p>
        )}
      </div>
    </Dialog>
  );
}
