/** The page of a project, with tabs, each with its own address. */
import {
  BadgeCheck,
  BookOpen,
  ChartLine,
  Download,
  Film,
  type LucideIcon,
  ScrollText,
  Settings2,
  Users,
} from "lucide-preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { call } from "../api/http";
import { useLoaded } from "../api/load";
import { type Deed, may } from "../api/roles";
import type { Project } from "../api/types";
import type { Tab } from "../route";
import { AuditTab } from "./audit/AuditTab";
import { ExportsTab } from "./ExportsTab";
import { GuideTab, useGuideDrafts } from "./GuideTab";
import { useLeaveGuard } from "./leave";
import { MembersTab } from "./MembersTab";
import { NumbersTab } from "./numbers/NumbersTab";
import { ProblemState } from "./ProblemState";
import css from "./ProjectPage.module.css";
import { QualityTab } from "./quality/QualityTab";
import { SettingsTab } from "./SettingsTab";
import { Shell } from "./Shell";
import type { TabProps } from "./tab";
import { VideosTab } from "./VideosTab";

interface TabLook {
  tab: Tab;
  name: string;
  icon: LucideIcon;
  count?: (project: Project) => number;
}

const LOOKS: TabLook[] = [
  { tab: "videos", name: "Videos", icon: Film, count: (project) => project.videos },
  { tab: "guide", name: "Guide and labels", icon: BookOpen },
  { tab: "members", name: "Members", icon: Users, count: (project) => project.members },
  { tab: "exports", name: "Exports", icon: Download },
  { tab: "numbers", name: "Numbers", icon: ChartLine },
  { tab: "quality", name: "Quality", icon: BadgeCheck },
  { tab: "audit", name: "Audit", icon: ScrollText },
  { tab: "settings", name: "Settings", icon: Settings2 },
];

/** The tabs that not everybody sees, with what one has to be allowed to see them. */
const NEEDED: Partial<Record<Tab, Deed>> = {
  quality: "see_quality",
  audit: "change_project",
  settings: "change_project",
};

export function ProjectPage({ id, tab }: { id: number; tab: Tab }) {
  const loaded = useLoaded(`project ${id}`, () =>
    call("GET", "/api/projects/{project_id}", { path: { project_id: id } }),
  );
  if (loaded.value) return <Parts project={loaded.value} onChange={loaded.set} tab={tab} />;
  return (
    <Shell title={loaded.problem ? "Not found" : undefined}>
      {loaded.problem ? (
        <ProblemState problem={loaded.problem} retry={loaded.reload} />
      ) : (
        <div class={css.ghost} aria-busy="true" data-testid="state-loading" />
      )}
    </Shell>
  );
}

/** Scrolls the bar of tabs, which is wider than a phone, so that the current one stands in its middle. */
function showCurrent(bar: HTMLElement | null): void {
  const current = bar?.querySelector("[aria-current]")?.getBoundingClientRect();
  if (!bar || !current) return;
  const place = bar.getBoundingClientRect();
  bar.scrollLeft += current.left - place.left - (place.width - current.width) / 2;
}

function Parts({ tab, ...props }: TabProps & { tab: Tab }) {
  const { project } = props;
  const drafts = useGuideDrafts(project);
  const unsaved = drafts.guide.dirty || drafts.labels.dirty;
  const href = `/projects/${project.id}`;
  const address = (name: Tab) => (name === "videos" ? href : `${href}/${name}`);
  useLeaveGuard(unsaved, address(tab), (to) => to.page === "project" && to.project === project.id);
  const tabs = LOOKS.filter(({ tab }) => may(project.role, NEEDED[tab] ?? "see_project"));
  const bar = useRef<HTMLElement>(null);
  useLayoutEffect(() => showCurrent(bar.current), [tab]);
  return (
    <Shell title={project.name} crumbs={[{ name: project.name, href }]}>
      <header class={css.head}>
        <h1 data-testid="project-name">{project.name}</h1>
        <span class={css.role} title="Your role in this project" data-testid="project-role">
          {project.role}
        </span>
      </header>
      <nav ref={bar} class={css.tabs} aria-label="Parts of the project">
        {tabs.map(({ tab: name, name: text, icon: Icon, count }) => (
          <a
            key={name}
            href={address(name)}
            class={css.tab}
            aria-current={name === tab ? "page" : undefined}
            data-testid={`tab-${name}`}
          >
            <Icon size={15} aria-hidden="true" />
            {text}
            {count && <small>{count(project).toLocaleString("en")}</small>}
            {name === "guide" && unsaved && <small class={css.unsaved}>not saved</small>}
          </a>
        ))}
      </nav>
      {tab === "videos" && <VideosTab {...props} />}
      {tab === "guide" && <GuideTab {...props} drafts={drafts} />}
      {tab === "members" && <MembersTab {...props} />}
      {tab === "exports" && <ExportsTab {...props} />}
      {tab === "numbers" && <NumbersTab {...props} />}
      {tab === "quality" && <QualityTab {...props} />}
      {tab === "audit" && <AuditTab {...props} />}
      {tab === "settings" && <SettingsTab {...props} />}
    </Shell>
  );
}
