/** Saved views of a project's list: filters and order under a name, to choose, to save and to delete. */
import { Bookmark, X } from "lucide-preact";
import { useState } from "preact/hooks";
import { useAttempt } from "../../api/attempt";
import { call, callAll } from "../../api/http";
import { useLoaded } from "../../api/load";
import { may } from "../../api/roles";
import { me } from "../../api/session";
import type { Project, SavedView } from "../../api/types";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { CheckField, TextField } from "../../parts/Field";
import { IconButton } from "../../parts/IconButton";
import { Menu, type MenuEntry } from "../../parts/Menu";
import { toast } from "../../parts/Toast";
import { go, query } from "../../route";
import form from "../Form.module.css";
import { FormProblem } from "../FormProblem";
import { listQuery } from "../listAddress";
import css from "./SavedViews.module.css";

type Views = ReturnType<typeof useViews>;

function useViews(project: number) {
  const path = { project_id: project };
  return useLoaded(`views ${project}`, () => callAll("/api/projects/{project_id}/views", { path }));
}

/** Whether the list is shown as the view says, whatever the order of the parameters. */
export function isShown(view: Pick<SavedView, "query">, shown: URLSearchParams): boolean {
  return listQuery(new URLSearchParams(view.query)) === listQuery(shown);
}

/** Whether a person may delete a view: their own ones, and with managers' rights the shared ones. */
function mayDelete(view: SavedView, project: Project): boolean {
  return view.author_id === me.value?.id || (view.shared && may(project.role, "change_project"));
}

export function SavedViews({ project }: { project: Project }) {
  const views = useViews(project.id);
  const [open, setOpen] = useState(false);
  const shown = query.value;
  const now = views.value?.find((view) => isShown(view, shown));
  const choose = (view: SavedView) => go(`/projects/${project.id}${view.query && `?${view.query}`}`);
  const items: MenuEntry[] = (views.value ?? []).map((view) => ({
    name: view.name,
    note: view.author_id === me.value?.id ? (view.shared ? "shared by you" : "") : `shared by ${view.author}`,
    testid: `view-${view.id}`,
    checked: view === now,
    perform: () => choose(view),
  }));
  return (
    <>
      <Menu
        label={now ? `Saved views: ${now.name}` : "Saved views"}
        testid="views"
        class={css.button}
        items={[
          ...items,
          ...(items.length ? (["line"] as const) : []),
          {
            name: "Save or delete views…",
            icon: Bookmark,
            testid: "views-edit",
            perform: () => setOpen(true),
          },
        ]}
      >
        <Bookmark size={15} aria-hidden="true" fill={now ? "currentColor" : "none"} />
        <span>{now?.name ?? "Views"}</span>
      </Menu>
      {open && <ViewsDialog project={project} views={views} onClose={() => setOpen(false)} />}
    </>
  );
}

function ViewsDialog({ project, views, onClose }: { project: Project; views: Views; onClose: () => void }) {
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const { busy, problem, attempt } = useAttempt();
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    attempt(async () => {
      const body = { name: name.trim(), query: listQuery(query.value), shared };
      const saved = await call("POST", "/api/projects/{project_id}/views", {
        path: { project_id: project.id },
        body,
      });
      setName("");
      toast({ text: `The view “${saved.name}” is saved.` });
    }).then(views.reload);
  };
  const drop = ({ id }: SavedView) =>
    attempt(() => call("DELETE", "/api/views/{view_id}", { path: { view_id: id } })).then(views.reload);
  return (
    <Dialog title="Saved views" size="small" testid="views-dialog" onClose={onClose}>
      <div class={form.form}>
        <form class={form.form} onSubmit={save} data-testid="views-form">
          <TextField
            label="Save what is shown now as"
            testid="views-name"
            value={name}
            onInput={setName}
            maxLength={80}
            autofocus
            hint="Search, filters, order, and cards or table. A view of yours with the same name is replaced."
          />
          {may(project.role, "change_project") && (
            <CheckField
              label="All members see it"
              testid="views-shared"
              checked={shared}
              onChange={setShared}
            />
          )}
          <div>
            <Button type="submit" tone="accent" testid="views-save" busy={busy} disabled={!name.trim()}>
              Save view
            </Button>
          </div>
        </form>
        <FormProblem testid="views-problem" text={problem || views.problem?.message} />
        {!views.value && !views.problem && <p class={form.note}>Loading…</p>}
        {views.value?.length === 0 && <p class={form.note}>No view is saved in this project yet.</p>}
        {Boolean(views.value?.length) && (
          <ul class={css.list} data-testid="views-list">
            {views.value?.map((view) => (
              <li key={view.id} class={css.row}>
                <span class={css.name}>
                  {view.name}
                  {view.shared && <small>shared by {view.author}</small>}
                </span>
                {mayDelete(view, project) && (
                  <IconButton
                    icon={X}
                    label={`Delete the view ${view.name}`}
                    size="small"
                    tone="bad"
                    testid={`view-delete-${view.id}`}
                    disabled={busy}
                    onClick={() => drop(view)}
                  />
                )}
              </li>
            ))}
          </ul>
        )}
      </div>
    </Dialog>
  );
}
