/** The guide and the labels, which annotators read and managers write. */
import { useState } from "preact/hooks";
import { call, HttpProblem } from "../api/http";
import { may } from "../api/roles";
import { me } from "../api/session";
import type { LabelDraft, Project } from "../api/types";
import { Button } from "../parts/Button";
import { TextField } from "../parts/Field";
import { toast, toastError } from "../parts/Toast";
import { type Draft, useDraft } from "./draft";
import css from "./GuideTab.module.css";
import { LabelEditor } from "./LabelEditor";
import { type LabelInUse, type LabelMove, LabelsInUse } from "./LabelsInUse";
import type { TabProps } from "./tab";

/**
 * Unsaved edits of the guide and the labels. They are kept above the tabs, so that changing tabs does not lose them.
 */
export interface GuideDrafts {
  guide: Draft<string>;
  labels: Draft<LabelDraft[]>;
}

export function useGuideDrafts(project: Project): GuideDrafts {
  const who = `${me.value?.id} ${project.id}`;
  return {
    guide: useDraft(project.guide, `guide ${who}`),
    labels: useDraft<LabelDraft[]>(project.labels, `labels ${who}`),
  };
}

export function GuideTab({ project, onChange, drafts }: TabProps & { drafts: GuideDrafts }) {
  if (!may(project.role, "change_project")) return <ReadGuide project={project} />;
  return (
    <div class={css.columns}>
      <WriteGuide project={project} onChange={onChange} guide={drafts.guide} />
      <WriteLabels project={project} onChange={onChange} labels={drafts.labels} />
    </div>
  );
}

function ReadGuide({ project }: { project: Project }) {
  return (
    <div class={css.columns}>
      <section>
        <h2>Guide</h2>
        <div class={css.text} data-testid="guide-text">
          {project.guide || <span class={css.none}>No guide has been written yet.</span>}
        </div>
      </section>
      <section>
        <h2>Labels</h2>
        <ul class={css.labels} data-testid="labels">
          {project.labels.map((label) => (
            <li key={label.id}>
              <i style={{ background: label.color }} />
              {label.name}
            </li>
          ))}
        </ul>
        {!project.labels.length && <p class={css.none}>No labels.</p>}
      </section>
    </div>
  );
}

/**
 * Saves a change and confirms it. Resolves to whether the server accepted it. `onInUse` is called if labels are left out
 * that objects have, and nothing said where these go.
 */
async function save(
  project: Project,
  change: { guide: string; guide_before: string } | { labels: LabelDraft[]; labels_before: LabelDraft[] },
  onChange: (project: Project) => void,
  done: string,
  onInUse: (labels: LabelInUse[]) => void = () => {},
): Promise<boolean> {
  try {
    onChange(
      await call("PATCH", "/api/projects/{project_id}", { path: { project_id: project.id }, body: change }),
    );
    toast({ text: done });
    return true;
  } catch (error) {
    if (error instanceof HttpProblem && error.code === "label_in_use") {
      onInUse(error.body.in_use as LabelInUse[]);
      return false;
    }
    toastError(error);
    // The edit stays. What it is compared with, and what Revert restores, is now what the other person saved.
    if (error instanceof HttpProblem && error.code === "changed_meanwhile")
      await call("GET", "/api/projects/{project_id}", { path: { project_id: project.id } }).then(
        onChange,
        toastError,
      );
    return false;
  }
}

function WriteGuide({ project, onChange, guide }: TabProps & { guide: Draft<string> }) {
  const [busy, setBusy] = useState(false);
  const store = async () => {
    setBusy(true);
    const sent = guide.value;
    if (await save(project, { guide: sent, guide_before: project.guide }, onChange, "The guide is saved."))
      guide.done(sent);
    setBusy(false);
  };
  return (
    <section>
      <h2>Guide</h2>
      <TextField
        label="Guide"
        bare
        testid="guide"
        rows={18}
        maxLength={20_000}
        value={guide.value}
        onInput={guide.set}
        placeholder="What to cut out, and how exactly: hair, shadows, motion blur, what is behind glass…"
      />
      <Foot dirty={guide.dirty} busy={busy} testid="guide" onSave={store} onRevert={() => guide.done()} />
    </section>
  );
}

function WriteLabels({ project, onChange, labels }: TabProps & { labels: Draft<LabelDraft[]> }) {
  const [busy, setBusy] = useState(false);
  const [inUse, setInUse] = useState<LabelInUse[]>([]);
  // Forgets the whole edit when it is saved, because new labels have ids now and would be created again.
  const change = { labels: labels.value, labels_before: project.labels };
  const store = async () => {
    setBusy(true);
    if (await save(project, change, onChange, "The labels are saved.", setInUse)) labels.done();
    setBusy(false);
  };
  const answer = async (labels_to: LabelMove[]) => {
    const path = { project_id: project.id };
    onChange(await call("PATCH", "/api/projects/{project_id}", { path, body: { ...change, labels_to } }));
    toast({ text: "The labels are saved." });
    labels.done();
  };
  return (
    <section>
      <h2>Labels</h2>
      <p class={css.hint}>Kinds of objects, with the colour that a new object of that kind starts with.</p>
      <LabelEditor labels={labels.value} onChange={labels.set} />
      <Foot dirty={labels.dirty} busy={busy} testid="labels" onSave={store} onRevert={() => labels.done()} />
      {inUse.length > 0 && (
        <LabelsInUse inUse={inUse} labels={labels.value} onAnswer={answer} onClose={() => setInUse([])} />
      )}
    </section>
  );
}

interface FootProps {
  dirty: boolean;
  busy: boolean;
  testid: string;
  onSave: () => void;
  onRevert: () => void;
}

function Foot({ dirty, busy, testid, onSave, onRevert }: FootProps) {
  return (
    <div class={css.foot}>
      {dirty && <span role="status">Not saved yet</span>}
      <Button tone="quiet" testid={`${testid}-revert`} disabled={!dirty || busy} onClick={onRevert}>
        Revert
      </Button>
      <Button tone="accent" testid={`${testid}-save`} disabled={!dirty} busy={busy} onClick={onSave}>
        Save
      </Button>
    </div>
  );
}
