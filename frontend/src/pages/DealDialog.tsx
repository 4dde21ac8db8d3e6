/** Deals jobs that nobody has among people: those of the selected videos, or of the whole project. For managers. */
import { useState } from "preact/hooks";
import { call, callAll } from "../api/http";
import { asProblem, useLoaded } from "../api/load";
import type { Member, Project } from "../api/types";
import { plural } from "../format";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { TextField } from "../parts/Field";
import { toast } from "../parts/Toast";
import css from "./DealDialog.module.css";
import { annotatorsOf, PeopleChoice } from "./PeopleChoice";
import { ProblemLine } from "./ProblemLine";

export interface DealDialogProps {
  project: Project;
  members: readonly Member[];
  /** The ids of the videos whose jobs are dealt; null: all of the project. */
  videos: readonly number[] | null;
  onClose: () => void;
  onDealt: () => void;
}

export function DealDialog({ project, members, videos, onClose, onDealt }: DealDialogProps) {
  const able = annotatorsOf(members);
  const [chosen, setChosen] = useState<ReadonlySet<number>>(
    new Set(able.filter(({ role }) => role === "annotator").map(({ user }) => user.id)),
  );
  const [most, setMost] = useState("5");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const limit = Number(most);
  const teams = useLoaded(`teams ${project.id}`, () =>
    callAll("/api/projects/{project_id}/teams", { path: { project_id: project.id } }),
  );

  const deal = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      const dealt = await call("POST", "/api/projects/{project_id}/jobs/deal", {
        path: { project_id: project.id },
        body: {
          people: [...chosen],
          ...(videos ? { videos: [...videos] } : {}),
          ...(limit > 0 ? { most_open: limit } : {}),
        },
      });
      const people = new Set(dealt.map(({ assignee }) => assignee)).size;
      toast({
        text: dealt.length
          ? `${plural(dealt.length, "job")} dealt among ${plural(people, "person", "people")}.`
          : "No job was dealt: all have somebody, or everybody has enough.",
        ...(dealt.length ? {} : { tone: "info" as const }),
      });
      onDealt();
      onClose();
    } catch (error) {
      setProblem(asProblem(error).message);
      setBusy(false);
    }
  };

  return (
    <Dialog
      title={videos ? `Deal the jobs of ${plural(videos.length, "video")}` : "Deal all jobs that nobody has"}
      testid="deal-dialog"
      onClose={onClose}
      footer={
        <>
          <Button testid="deal-cancel" onClick={onClose}>
            Cancel
          </Button>
          <Button
            testid="deal-yes"
            type="submit"
            form="deal-form"
            tone="accent"
            busy={busy}
            disabled={!chosen.size}
          >
            Deal among {chosen.size}
          </Button>
        </>
      }
    >
      <form id="deal-form" class={css.form} onSubmit={deal}>
        <p class={css.note}>Jobs that somebody has stay with them. What is left over stays in the pool.</p>
        <ProblemLine what="The teams" loaded={teams} />
        {teams.value && teams.value.length > 0 && (
          <fieldset class={css.teams}>
            <legend>Choose a team</legend>
            {teams.value.map((team) => {
              const theirs = able.filter(({ user }) => team.members.some(({ id }) => id === user.id));
              return (
                <Button
                  key={team.id}
                  size="small"
                  testid={`deal-team-${team.id}`}
                  disabled={!theirs.length}
                  onClick={() => setChosen(new Set(theirs.map(({ user }) => user.id)))}
                >
                  {`${team.name} (${theirs.length})`}
                </Button>
              );
            })}
          </fieldset>
        )}
        <PeopleChoice members={able} chosen={chosen} onChange={setChosen} testid="deal-person" />
        <div class={css.most}>
          <TextField
            label="At most this many open jobs each"
            type="number"
            testid="deal-most"
            value={most}
            onInput={setMost}
            hint="Empty: as many as there are."
          />
        </div>
        {problem && (
          <p class={css.problem} role="alert" data-testid="deal-problem">
            {problem}
          </p>
        )}
      </form>
    </Dialog>
  );
}
