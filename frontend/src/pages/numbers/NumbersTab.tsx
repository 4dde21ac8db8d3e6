/** The numbers of a project: how far it is, what work it took by person, label, object, video, week or engine, and how good it is. */
import { ChartLine, Download, Lock } from "lucide-preact";
import { call, queryOf, urlOf } from "../../api/http";
import { useLoaded } from "../../api/load";
import { may } from "../../api/roles";
import type { NumbersRow, Project } from "../../api/types";
import { duration } from "../../format";
import { EmptyState } from "../../parts/EmptyState";
import { SelectField } from "../../parts/Field";
import { query, setQuery } from "../../route";
import { DayField } from "../DayField";
import { ProblemLine } from "../ProblemLine";
import { ProblemState } from "../ProblemState";
import type { TabProps } from "../tab";
import { JobsBar } from "./JobsBar";
import css from "./NumbersTab.module.css";
import { NumbersTable } from "./NumbersTable";
import { Plot } from "./Plot";

const BY = {
  person: "By person",
  label: "By label",
  object: "By object",
  video: "By video",
  week: "By week",
  engine: "By engine",
};
type By = keyof typeof BY;

export function NumbersTab({ project }: TabProps) {
  return (
    <div class={css.page}>
      <HowFar project={project} />
      {may(project.role, "see_numbers") ? (
        <Work project={project} />
      ) : (
        <EmptyState icon={Lock} title="Not for your role" testid="state-forbidden">
          What work each person did is for reviewers and managers; in this project you are {project.role}.
        </EmptyState>
      )}
    </div>
  );
}

/** How many jobs and frames are accepted, and how many were left at the end of each day. */
function HowFar({ project }: { project: Project }) {
  const path = { project_id: project.id };
  const loaded = useLoaded(`progress ${project.id}`, () =>
    call("GET", "/api/projects/{project_id}/progress", { path }),
  );
  const progress = loaded.value;
  if (!progress) {
    if (loaded.problem) return <ProblemState problem={loaded.problem} retry={loaded.reload} />;
    return <div class={css.ghost} aria-busy="true" data-testid="state-loading" />;
  }
  const { days } = progress;
  return (
    <>
      <JobsBar progress={progress} testid="numbers-jobs" />
      {days.length > 1 && (
        <Plot
          title="Jobs left, by day"
          testid="numbers-left"
          time
          x={days.map(({ day }) => Date.parse(day) / 1000)}
          xName="day"
          formatX={dayName}
          format={(value) => value.toLocaleString("en")}
          lines={[{ name: "jobs left", color: "--ring", values: days.map(({ jobs }) => jobs) }]}
          summary={`${days[0]?.jobs} jobs were left on ${days[0]?.day}, and ${days.at(-1)?.jobs} on ${days.at(-1)?.day}.`}
        />
      )}
    </>
  );
}

function dayName(seconds: number): string {
  return new Date(seconds * 1000).toLocaleDateString("en", {
    day: "numeric",
    month: "short",
    timeZone: "UTC",
  });
}

function Work({ project }: { project: Project }) {
  const asked = query.value;
  const by: By = Object.hasOwn(BY, asked.get("by") ?? "") ? (asked.get("by") as By) : "person";
  const day = (name: string) => {
    const value = asked.get(name) ?? "";
    return /^\d{4}-\d{2}-\d{2}$/.test(value) ? value : "";
  };
  const wanted = { by, since: day("since"), until: day("until") };
  const path = { project_id: project.id };
  const given = {
    by,
    ...(wanted.since ? { since: wanted.since } : {}),
    ...(wanted.until ? { until: wanted.until } : {}),
  };
  const loaded = useLoaded(`numbers ${project.id} ${JSON.stringify(wanted)}`, () =>
    call("GET", "/api/projects/{project_id}/numbers", { path, query: given }),
  );
  const rows = loaded.value?.rows;
  return (
    <>
      <div class={css.filters}>
        <SelectField
          label="By"
          bare
          testid="numbers-by"
          value={by}
          options={Object.entries(BY).map(([value, name]) => ({ value, name }))}
          onChange={(value) => setQuery({ by: value === "person" ? null : value })}
        />
        <DayField name="since" label="From" testid="numbers-since" value={wanted.since} />
        <DayField name="until" label="To" testid="numbers-until" value={wanted.until} />
        <span class={css.grow} />
        {Boolean(rows?.length) && (
          <a
            class={css.csv}
            href={urlOf("/api/projects/{project_id}/numbers.csv", path) + queryOf(given)}
            download
            data-testid="numbers-csv"
          >
            <Download size={15} aria-hidden="true" />
            CSV
          </a>
        )}
      </div>
      {!rows && loaded.problem && <ProblemState problem={loaded.problem} retry={loaded.reload} />}
      {!rows && !loaded.problem && <div class={css.ghost} aria-busy="true" data-testid="state-loading" />}
      {rows?.length === 0 && (
        <EmptyState icon={ChartLine} title="No work in this time" testid="numbers-empty">
          Seconds, rounds and accepted frames stand here as soon as somebody has worked.
        </EmptyState>
      )}
      {rows && rows.length > 0 && <NumbersTable by={by} of={capital(BY[by].slice(3))} rows={rows} />}
      {rows && rows.length > 1 && by === "week" && <Weeks rows={rows} />}
      <CurvePlot project={project} />
    </>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function Weeks({ rows }: { rows: readonly NumbersRow[] }) {
  const sorted = [...rows].sort((a, b) => a.key.localeCompare(b.key));
  return (
    <Plot
      title="Human minutes and accepted frames, by week"
      testid="numbers-weeks"
      x={sorted.map((_, index) => index)}
      xName="week"
      formatX={(index) => sorted[index]?.name ?? ""}
      format={(value) => value.toLocaleString("en", { maximumFractionDigits: 0 })}
      lines={[
        { name: "human minutes", color: "--ring", values: sorted.map((row) => row.human_seconds / 60) },
        { name: "accepted frames", color: "--ok", values: sorted.map((row) => row.accepted_frames) },
      ]}
      summary={`${sorted.length} weeks, from ${sorted[0]?.name} to ${sorted.at(-1)?.name}.`}
    />
  );
}

/** J&F after each round against the human time that it took until then, over all videos with ground truth. */
function CurvePlot({ project }: { project: Project }) {
  const loaded = useLoaded(`curve ${project.id}`, () =>
    call("GET", "/api/projects/{project_id}/curve", { path: { project_id: project.id } }),
  );
  const points = [...(loaded.value?.points ?? [])].sort((a, b) => a.human_seconds - b.human_seconds);
  if (points.length < 2) return <ProblemLine what="The curve of J&F" loaded={loaded} />;
  return (
    <Plot
      title="J&F against human time"
      testid="numbers-curve"
      x={points.map((point) => point.human_seconds)}
      xName="human time"
      formatX={duration}
      format={(value) => value.toFixed(2)}
      lines={[{ name: "J&F", color: "--accent", points: true, values: points.map((point) => point.jf) }]}
      summary={`${points.length} rounds of videos with ground truth; the best J&F is ${Math.max(...points.map(({ jf }) => jf)).toFixed(3)}.`}
    />
  );
}
