/** Draws a share of the finished jobs, or of the frames of each of them, for a reviewer to look at. */
import { Dices } from "lucide-preact";
import { useState } from "preact/hooks";
import { useAttempt } from "../../api/attempt";
import { call } from "../../api/http";
import type { Member, Project } from "../../api/types";
import { plural } from "../../format";
import { Button } from "../../parts/Button";
import { SelectField, TextField } from "../../parts/Field";
import form from "../Form.module.css";
import { people } from "../JobsDialog";

interface SampleProps {
  project: Project;
  members: readonly Member[];
  /** Called after jobs were drawn. */
  onDrawn: () => void;
}

export function Sample({ project, members, onDrawn }: SampleProps) {
  const [percent, setPercent] = useState("10");
  const [of, setOf] = useState("jobs");
  const [reviewer, setReviewer] = useState("");
  const [seed, setSeed] = useState("");
  const [drawn, setDrawn] = useState("");
  const { busy, problem, attempt } = useAttempt();
  const share = Number(percent) / 100;
  const valid = share > 0 && share <= 1;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setDrawn("");
    attempt(async () => {
      const sample = await call("POST", "/api/projects/{project_id}/review-sample", {
        path: { project_id: project.id },
        body: {
          share,
          of: of === "frames" ? "frames" : "jobs",
          ...(reviewer ? { reviewer: Number(reviewer) } : {}),
          ...(seed.trim() ? { seed: Number(seed) } : {}),
        },
      });
      setDrawn(
        sample.jobs.length
          ? `${plural(sample.jobs.length, "job is", "jobs are")} in review. The same draw again: seed ${sample.seed}.`
          : "No finished job was there to draw from.",
      );
      onDrawn();
    });
  };
  return (
    <form class={form.form} onSubmit={submit} data-testid="sample-form">
      <TextField
        label="Percent"
        type="number"
        testid="sample-share"
        value={percent}
        onInput={setPercent}
        {...(valid ? {} : { error: "A number above 0, up to 100." })}
      />
      <SelectField
        label="Of"
        testid="sample-of"
        value={of}
        options={[
          { value: "jobs", name: "The jobs finished without review" },
          { value: "frames", name: "The frames of each finished job" },
        ]}
        onChange={setOf}
        hint="Of each annotator alike, and each with the same chance."
      />
      <SelectField
        label="Reviewer"
        testid="sample-reviewer"
        value={reviewer}
        options={people(members, "reviewer", null, "Any reviewer")}
        onChange={setReviewer}
      />
      <TextField
        label="Seed"
        type="number"
        testid="sample-seed"
        value={seed}
        onInput={setSeed}
        placeholder="by chance"
      />
      {(drawn || problem) && (
        <p
          class={problem ? form.problem : form.note}
          role={problem ? "alert" : "status"}
          data-testid="sample-result"
        >
          {problem || drawn}
        </p>
      )}
      <div>
        <Button type="submit" icon={Dices} testid="sample-draw" busy={busy} disabled={!valid}>
          Draw a sample
        </Button>
      </div>
    </form>
  );
}
