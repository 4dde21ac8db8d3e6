/** The dialog that renames a video. */
import { useState } from "preact/hooks";
import { call } from "../api/http";
import { asProblem } from "../api/load";
import type { Card } from "../api/types";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { TextField } from "../parts/Field";
import css from "./Form.module.css";

export interface RenameVideoProps {
  video: Pick<Card, "id" | "name">;
  onClose: () => void;
  onRenamed: (name: string) => void;
}

export function RenameVideo({ video, onClose, onRenamed }: RenameVideoProps) {
  const [name, setName] = useState(video.name);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      const renamed = await call("PATCH", "/api/videos/{video_id}", {
        path: { video_id: video.id },
        body: { name: name.trim() },
      });
      onRenamed(renamed.name);
      onClose();
    } catch (error) {
      setProblem(asProblem(error).message);
      setBusy(false);
    }
  };

  return (
    <Dialog
      title="Rename video"
      size="small"
      testid="rename-video"
      onClose={onClose}
      footer={
        <>
          <Button testid="rename-video-cancel" onClick={onClose}>
            Cancel
          </Button>
          <Button
            testid="rename-video-save"
            type="submit"
            form="rename-video-form"
            tone="accent"
            busy={busy}
            disabled={!name.trim()}
          >
            Rename
          </Button>
        </>
      }
    >
      <form id="rename-video-form" class={css.form} onSubmit={submit}>
        <TextField
          label="Name"
          testid="rename-video-name"
          value={name}
          onInput={setName}
          maxLength={200}
          required
          autofocus
          error={problem}
        />
      </form>
    </Dialog>
  );
}
