/** Puts a clip with ground truth into the queues of people, to whom it looks like any other video. */
import { useState } from "preact/hooks";
import { useAttempt } from "../../api/attempt";
import { call } from "../../api/http";
import type { Card, Member } from "../../api/types";
import { plural } from "../../format";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { toast } from "../../parts/Toast";
import form from "../Form.module.css";
import { FormProblem } from "../FormProblem";
import { annotatorsOf, PeopleChoice } from "../PeopleChoice";

export interface MixInProps {
  video: Pick<Card, "id" | "name" | "jobs" | "last_worked_by">;
  members: readonly Member[];
  onClose: () => void;
}

/** Returns whether a member has a job in the video or worked on it last, so that a copy would say little about their work. */
function knows({ jobs, last_worked_by }: MixInProps["video"], { user }: Member): boolean {
  if (last_worked_by === user.name) return true;
  return jobs.some(({ assignee, reviewer }) => assignee?.id === user.id || reviewer?.id === user.id);
}

export function MixIn({ video, members, onClose }: MixInProps) {
  const able = annotatorsOf(members);
  const known = able.filter((member) => knows(video, member));
  const proposed = able.filter((member) => member.role === "annotator" && !known.includes(member));
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set(proposed.map(({ user }) => user.id)));
  const { busy, problem, attempt } = useAttempt();
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const done = await attempt(async () => {
      const path = { video_id: video.id };
      const dealt = await call("POST", "/api/videos/{video_id}/mix-in", {
        path,
        body: { people: [...chosen] },
      });
      toast({ text: `${video.name} is in the queues of ${plural(dealt.length, "person", "people")}.` });
    });
    if (done) onClose();
  };
  return (
    <Dialog
      title={`Mix ${video.name} into queues`}
      testid="mix-in"
      onClose={onClose}
      footer={
        <>
          <Button testid="mix-in-cancel" onClick={onClose}>
            Cancel
          </Button>
          <Button
            testid="mix-in-yes"
            type="submit"
            form="mix-in-form"
            tone="accent"
            busy={busy}
            disabled={!chosen.size}
          >
            Mix in for {chosen.size}
          </Button>
        </>
      }
    >
      <form id="mix-in-form" class={form.form} onSubmit={submit}>
        <p class={form.note}>
          Each of them gets a copy that looks like any other video. What they submit is compared with the
          ground truth.
        </p>
        {known.length > 0 && (
          <p class={form.note} data-testid="mix-in-known">
            Not proposed, because they have a job in this video or worked on it last:{" "}
            {known.map(({ user }) => user.name).join(", ")}.
          </p>
        )}
        <PeopleChoice members={able} chosen={chosen} onChange={setChosen} testid="mix-in-person" />
        <FormProblem testid="mix-in-problem" text={problem} />
      </form>
    </Dialog>
  );
}
