/** Changes many videos at once: who has their jobs, when they are due, their priority, their project, the archive. */
import { useState } from "preact/hooks";
import { call, callAll } from "../api/http";
import { asProblem, useLoaded } from "../api/load";
import type { Card, Member, Project, VideoAction } from "../api/types";
import { plural } from "../format";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { SelectField, TextField } from "../parts/Field";
import { toast } from "../parts/Toast";
import css from "./Form.module.css";
import { people } from "./JobsDialog";
import { ProblemLine } from "./ProblemLine";

const SAME = "same";

const MOST_AT_ONCE = 1000; // videos that one call takes

/** Does the same to many videos. Of each 1,000 it is done to all, or to none; after a refusal, to no more. */
export async function actOn(
  project: number,
  videos: readonly Pick<Card, "id">[],
  action: Omit<VideoAction, "ids">,
) {
  const path = { project_id: project };
  for (let start = 0; start < videos.length; start += MOST_AT_ONCE) {
    const ids = videos.slice(start, start + MOST_AT_ONCE).map(({ id }) => id);
    await call("POST", "/api/projects/{project_id}/videos/actions", { path, body: { ...action, ids } });
  }
}

export interface EditVideosProps {
  project: Project;
  videos: readonly Card[];
  members: readonly Member[];
  onClose: () => void;
  /** Called after something was changed. */
  onChanged: () => void;
}

export function EditVideos({ project, videos, members, onClose, onChanged }: EditVideosProps) {
  const [assignee, setAssignee] = useState(SAME);
  const [reviewer, setReviewer] = useState(SAME);
  const [due, setDue] = useState("");
  const [priority, setPriority] = useState(SAME);
  const [place, setPlace] = useState(SAME);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const others = useLoaded("projects to move to", async () => {
    const projects = await callAll("/api/projects");
    return projects.filter(({ id, role }) => id !== project.id && (role === "manager" || role === "owner"));
  });

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      const person = (value: string) => (value ? Number(value) : null);
      if (assignee !== SAME) await actOn(project.id, videos, { action: "assign", person: person(assignee) });
      if (reviewer !== SAME)
        await actOn(project.id, videos, { action: "reviewer", person: person(reviewer) });
      if (due) await actOn(project.id, videos, { action: "due", due });
      if (priority !== SAME)
        await actOn(project.id, videos, { action: "priority", priority: Number(priority) });
      if (place === "archive" || place === "unarchive") await actOn(project.id, videos, { action: place });
      else if (place !== SAME) {
        const [action, target] = place.split(":");
        await actOn(project.id, videos, { action: action as "move" | "copy", project: Number(target) });
      }
      toast({
        text: place.startsWith("copy:")
          ? `${plural(videos.length, "video is", "videos are")} being copied. The other project shows how far that is.`
          : `${plural(videos.length, "video is", "videos are")} changed.`,
      });
      onChanged();
      onClose();
    } catch (error) {
      setProblem(asProblem(error).message);
      onChanged();
      setBusy(false);
    }
  };
  const same = { value: SAME, name: "Leave as it is" };
  const changed = due || [assignee, reviewer, priority, place].some((value) => value !== SAME);
  return (
    <Dialog
      title={`Change ${plural(videos.length, "video")}`}
      size="small"
      testid="edit-videos"
      onClose={onClose}
      footer={
        <>
          <Button testid="edit-videos-cancel" onClick={onClose}>
            Cancel
          </Button>
          <Button
            testid="edit-videos-save"
            type="submit"
            form="edit-videos-form"
            tone="accent"
            busy={busy}
            disabled={!changed}
          >
            Change
          </Button>
        </>
      }
    >
      <form id="edit-videos-form" class={css.form} onSubmit={submit}>
        <SelectField
          label="Assignee"
          testid="edit-videos-assignee"
          value={assignee}
          options={[same, ...people(members, "annotator", null, "Nobody")]}
          onChange={setAssignee}
        />
        <SelectField
          label="Reviewer"
          testid="edit-videos-reviewer"
          value={reviewer}
          options={[same, ...people(members, "reviewer", null, "Any reviewer")]}
          onChange={setReviewer}
        />
        <TextField label="Due" type="date" testid="edit-videos-due" value={due} onInput={setDue} />
        <SelectField
          label="Priority"
          testid="edit-videos-priority"
          value={priority}
          options={[
            same,
            { value: "2", name: "Urgent" },
            { value: "1", name: "High" },
            { value: "0", name: "Usual" },
            { value: "-1", name: "Low" },
          ]}
          onChange={setPriority}
        />
        <ProblemLine what="Your other projects" loaded={others} />
        <SelectField
          label="Place"
          testid="edit-videos-place"
          value={place}
          options={[
            same,
            videos.every(({ archived }) => archived)
              ? { value: "unarchive", name: "Out of the archive" }
              : { value: "archive", name: "Archive" },
            ...(others.value ?? []).map(({ id, name }) => ({ value: `move:${id}`, name: `Move to ${name}` })),
            ...(others.value ?? []).map(({ id, name }) => ({ value: `copy:${id}`, name: `Copy to ${name}` })),
          ]}
          onChange={setPlace}
          hint="A moved or copied video keeps its rounds; its labels are found by their names."
        />
        {problem && (
          <p class={css.problem} role="alert" data-testid="edit-videos-problem">
            {problem}
          </p>
        )}
      </form>
    </Dialog>
  );
}
