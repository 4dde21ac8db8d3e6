/** The projects that the person is a member of. */
import { Archive, ArrowLeft, Film, FolderPlus, KeyRound, Plus } from "lucide-preact";
import { useMemo, useState } from "preact/hooks";
import { callAll, urlOf } from "../api/http";
import { useLoaded } from "../api/load";
import { me } from "../api/session";
import type { Project } from "../api/types";
import { ago, byName, plural } from "../format";
import { Button } from "../parts/Button";
import { EmptyState } from "../parts/EmptyState";
import { TextField } from "../parts/Field";
import { query, setQuery } from "../route";
import { openAccount } from "./Account";
import { NewProject } from "./NewProject";
import { ProblemState } from "./ProblemState";
import css from "./ProjectsPage.module.css";
import { Shell } from "./Shell";

/** From this number of projects on, a search field is shown. */
const MANY = 9;
/** Number of labels that a card names. */
const SOME = 4;

export function ProjectsPage() {
  const archived = query.value.get("archived") === "yes";
  const projects = useLoaded(`projects ${archived}`, () =>
    callAll("/api/projects", archived ? { query: { archived } } : {}),
  );
  const [making, setMaking] = useState(false);
  const [wanted, setWanted] = useState("");
  const list = projects.value;
  const shown = useMemo(() => find(list ?? [], wanted), [list, wanted]);

  return (
    <Shell title="Projects">
      <header class={css.head}>
        <h1>{archived ? "Archived projects" : "Projects"}</h1>
        <Button
          tone="quiet"
          size="small"
          icon={archived ? ArrowLeft : Archive}
          testid="projects-archived"
          onClick={() => setQuery({ archived: archived ? null : "yes" })}
        >
          {archived ? "All projects" : "Archived"}
        </Button>
        {list && (list.length >= MANY || wanted) && (
          <div class={css.search}>
            <TextField
              label="Search projects"
              bare
              type="search"
              testid="projects-search"
              placeholder="Search"
              value={wanted}
              onInput={setWanted}
            />
          </div>
        )}
        {Boolean(list?.length) && !archived && (
          <Button tone="accent" icon={Plus} testid="project-new" onClick={() => setMaking(true)}>
            New project
          </Button>
        )}
      </header>
      {me.value?.has_password === false && !me.value.signs_in_outside && <NoPassword />}
      {!list && projects.problem && <ProblemState problem={projects.problem} retry={projects.reload} />}
      {!list && !projects.problem && <Skeleton />}
      {list?.length === 0 && archived && (
        <EmptyState icon={Archive} title="No project is archived" testid="projects-archived-none">
          Managers archive a project in its settings when the work is done.
        </EmptyState>
      )}
      {list?.length === 0 && !archived && (
        <EmptyState
          icon={FolderPlus}
          title="No projects yet"
          testid="projects-empty"
          action={
            <Button tone="accent" icon={Plus} testid="project-new" onClick={() => setMaking(true)}>
              New project
            </Button>
          }
        >
          A project holds videos, the people who work on them and the guide they follow. Make one, or ask a
          manager to invite you to theirs.
        </EmptyState>
      )}
      {shown.length > 0 && (
        <ul class={css.grid} data-testid="projects">
          {shown.map((project) => (
            <ProjectCard key={project.id} project={project} />
          ))}
        </ul>
      )}
      {list && list.length > 0 && shown.length === 0 && (
        <p class={css.none} data-testid="projects-none">
          No project is called “{wanted}”.
        </p>
      )}
      {making && <NewProject onClose={() => setMaking(false)} />}
    </Shell>
  );
}

/** Offers to choose a password, because a sign-in link works only once. */
function NoPassword() {
  return (
    <p class={css.notice} data-testid="password-notice">
      <KeyRound size={16} aria-hidden="true" />
      <span>
        You came by a link and have no password yet. Choose one, and you can sign in without another link.
      </span>
      <Button size="small" testid="password-choose" onClick={openAccount}>
        Choose a password
      </Button>
    </p>
  );
}

function find(projects: Project[], wanted: string): Project[] {
  const words = wanted.trim().toLowerCase().split(/\s+/);
  return projects
    .filter((project) => words.every((word) => project.name.toLowerCase().includes(word)))
    .sort((a, b) => byName(a.name, b.name));
}

function ProjectCard({ project }: { project: Project }) {
  const { id, name, role, videos, members, cover, guide, labels, last_added_at } = project;
  return (
    <li class={css.card} data-testid={`project-${id}`}>
      <div class={css.cover}>
        {cover === null ? (
          <Film size={22} aria-hidden="true" />
        ) : (
          <img
            src={urlOf("/api/videos/{video_id}/thumbs/{frame}.jpg", { video_id: cover, frame: 0 })}
            alt=""
            loading="lazy"
          />
        )}
      </div>
      <div class={css.top}>
        <a href={`/projects/${id}`} class={css.name} data-testid={`project-open-${id}`}>
          {name}
        </a>
        <span class={css.role}>{role}</span>
      </div>
      <p class={css.guide}>{guide || <i>No guide yet</i>}</p>
      <ul class={css.labels} aria-label="Labels">
        {labels.slice(0, SOME).map((label) => (
          <li key={label.id}>
            <i style={{ background: label.color }} />
            {label.name}
          </li>
        ))}
        {labels.length > SOME && <li>and {labels.length - SOME} more</li>}
      </ul>
      <div class={css.foot}>
        <span>{plural(videos, "video")}</span>
        <span>{plural(members, "person", "people")}</span>
        <span class={css.when}>{last_added_at ? `video added ${ago(last_added_at)}` : "empty"}</span>
      </div>
    </li>
  );
}

function Skeleton() {
  return (
    <ul class={css.grid} aria-busy="true" aria-label="Loading projects" data-testid="state-loading">
      {[0, 1, 2].map((index) => (
        <li key={index} class={`${css.card} ${css.ghost}`} />
      ))}
    </ul>
  );
}
