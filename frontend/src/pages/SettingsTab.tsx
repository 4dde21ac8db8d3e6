/** The name and the engine of a project, its team and webhooks, its archive and its deletion. */

import { Lock } from "lucide-preact";
import { useAttempt } from "../api/attempt";
import { describe, weightsOf } from "../api/engines";
import { call } from "../api/http";
import { useLoaded } from "../api/load";
import { may } from "../api/roles";
import type { Engine, Project } from "../api/types";
import { plural } from "../format";
import { Button } from "../parts/Button";
import { confirm } from "../parts/Confirm";
import { EmptyState } from "../parts/EmptyState";
import { SelectField, TextField } from "../parts/Field";
import { toast, toastError } from "../parts/Toast";
import { go } from "../route";
import { useDraft } from "./draft";
import { Quota } from "./Quota";
import css from "./SettingsTab.module.css";
import { TeamSettings } from "./TeamSettings";
import type { TabProps } from "./tab";
import { Webhooks } from "./webhooks/Webhooks";

export function SettingsTab({ project, onChange }: TabProps) {
  if (!may(project.role, "change_project"))
    return (
      <EmptyState icon={Lock} title="Not for your role" testid="state-forbidden">
        Settings are for managers and owners; in this project you are {project.role}.
      </EmptyState>
    );
  return (
    <div class={css.page}>
      <Change project={project} onChange={onChange} />
      <TeamSettings project={project} onChange={onChange} />
      <ProjectQuota project={project} />
      <Webhooks project={project} />
      <Archive project={project} onChange={onChange} />
      {may(project.role, "delete_project") && <Delete project={project} />}
    </div>
  );
}

function Change({ project, onChange }: TabProps) {
  const name = useDraft(project.name);
  const engine = useDraft(project.engine);
  const { busy, problem, attempt } = useAttempt();
  const engines = useLoaded("engines", () => call("GET", "/api/engines"));
  const dirty = name.value.trim() !== project.name || engine.dirty;

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void attempt(async () => {
      const sent = { name: name.value, engine: engine.value };
      const change = { ...sent, name: sent.name.trim() };
      onChange(
        await call("PATCH", "/api/projects/{project_id}", { path: { project_id: project.id }, body: change }),
      );
      name.done(sent.name);
      engine.done(sent.engine);
      toast({ text: "The settings are saved." });
    });
  };

  return (
    <form class={css.form} onSubmit={submit}>
      <TextField
        label="Name"
        testid="settings-name"
        value={name.value}
        onInput={name.set}
        maxLength={120}
        required
        error={problem}
      />
      <SelectField
        label="Engine"
        testid="settings-engine"
        value={engine.value}
        options={choices(engines.value, engine.value)}
        onChange={engine.set}
        hint={hint(engines.value, engine.value)}
        error={engines.problem?.message}
      />
      <div>
        <Button
          type="submit"
          tone="accent"
          testid="settings-save"
          busy={busy}
          disabled={!dirty || !name.value.trim()}
        >
          Save
        </Button>
      </div>
    </form>
  );
}

/** Returns the engines to choose from. The chosen engine is included even if it is not installed. */
export function choices(engines: Engine[] | null, chosen: string) {
  const first = engines?.find((engine) => engine.default);
  const list = [
    { value: "default", name: first ? `Default (now ${first.title})` : "Default", disabled: false },
    ...(engines ?? []).map(({ name, title, ready }) => ({
      value: name,
      name: ready ? title : `${title} (not ready)`,
      disabled: !ready,
    })),
  ];
  if (!list.some((option) => option.value === chosen))
    list.push({ value: chosen, name: chosen, disabled: false });
  return list;
}

function hint(engines: Engine[] | null, chosen: string): string {
  if (chosen === "default") return "What new rounds use, unless an annotator chooses another in the studio.";
  const engine = engines?.find((engine) => engine.name === chosen);
  if (!engine) return "";
  const weights = weightsOf(engine);
  return describe(engine) + (weights ? ` (${weights})` : "");
}

/** What the project may use; administrators set it. */
function ProjectQuota({ project }: { project: Project }) {
  const path = { project_id: project.id };
  const loaded = useLoaded(`quota ${project.id}`, () =>
    call("GET", "/api/projects/{project_id}/quota", { path }),
  );
  return (
    <section class={css.form} aria-label="Quota">
      <h2 class={css.title}>Quota</h2>
      <Quota loaded={loaded} />
    </section>
  );
}

function Archive({ project, onChange }: TabProps) {
  const { archived, name } = project;
  const turn = async () => {
    try {
      const path = { project_id: project.id };
      onChange(await call("PATCH", "/api/projects/{project_id}", { path, body: { archived: !archived } }));
      toast({ text: archived ? `${name} is out of the archive.` : `${name} is in the archive.` });
    } catch (error) {
      toastError(error);
    }
  };
  return (
    <section class={css.box}>
      <div>
        <h2>{archived ? "This project is archived" : "Archive this project"}</h2>
        <p>
          {archived
            ? "It stands behind the list of projects, among the archived ones."
            : "It leaves the list of projects. Nothing is deleted, and it can be taken out again."}
        </p>
      </div>
      <Button testid="project-archive" onClick={turn}>
        {archived ? "Take out of the archive" : "Archive project"}
      </Button>
    </section>
  );
}

function Delete({ project }: { project: Project }) {
  const ask = async () => {
    const agreed = await confirm({
      title: `Delete ${project.name}?`,
      text: `It goes to the trash with ${plural(project.videos, "video")}, and is removed after 30 days.`,
      yes: "Delete project",
      typed: project.name,
    });
    if (!agreed) return;
    try {
      await call("DELETE", "/api/projects/{project_id}", { path: { project_id: project.id } });
      toast({ text: `${project.name} is in the trash.` });
      go("/");
    } catch (error) {
      toastError(error);
    }
  };
  return (
    <section class={`${css.box} ${css.danger}`}>
      <div>
        <h2>Delete this project</h2>
        <p>
          It goes to the trash with all its videos, rounds, masks and exports, and is removed after 30 days.
        </p>
      </div>
      <Button tone="bad" testid="project-delete" onClick={ask}>
        Delete project
      </Button>
    </section>
  );
}
