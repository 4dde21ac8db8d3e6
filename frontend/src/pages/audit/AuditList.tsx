/** The audit log: who did what to which thing and when, newest first, with filters in the address and as CSV. */
import { Download, ScrollText } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import { queryOf } from "../../api/http";
import { asProblem, useLoaded } from "../../api/load";
import type { AuditEntry } from "../../api/types";
import { ago } from "../../format";
import { Button } from "../../parts/Button";
import { EmptyState } from "../../parts/EmptyState";
import { SelectField } from "../../parts/Field";
import { FramedList } from "../../parts/FramedList";
import { toastError } from "../../parts/Toast";
import { query, setQuery } from "../../route";
import { DayField } from "../DayField";
import { More } from "../More";
import { ProblemState } from "../ProblemState";
import css from "./AuditList.module.css";
import { detailsOf, KINDS, sentenceOf } from "./words";

/** Actions of which the entry does not say who did them, because that is not known. */
const NAMELESS = new Set(["sign_in_failed", "second_factor.wrong"]);

export interface AuditPart {
  entries: AuditEntry[];
  next: number | null;
}

/** What the server is asked for. Days are YYYY-MM-DD in the person's time zone. */
export interface AuditFilter {
  action: string;
  who: number | undefined;
  since: string | undefined;
  until: string | undefined;
}

export interface AuditListProps {
  /** Names what the list is of, so that another list is loaded anew. */
  of: string;
  csv: string;
  people: readonly { id: number; name: string }[];
  load: (filter: AuditFilter & { before: number | undefined }) => Promise<AuditPart>;
}

/** Reads the filter from the address. */
function filterOf(): AuditFilter {
  const asked = query.value;
  const day = (name: string, days: number) => {
    const value = asked.get(name) ?? "";
    if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return undefined;
    const date = new Date(`${value}T00:00:00`);
    date.setDate(date.getDate() + days);
    return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
  };
  const who = Number(asked.get("who"));
  return {
    action: asked.get("action") ?? "",
    who: Number.isInteger(who) && who > 0 ? who : undefined,
    since: day("since", 0),
    until: day("until", 1), // The last day is part of what is asked for.
  };
}

export function AuditList({ of, csv, people, load }: AuditListProps) {
  const filter = filterOf();
  const loaded = useLoaded(`audit ${of} ${JSON.stringify(filter)}`, () =>
    load({ ...filter, before: undefined }),
  );
  const [busy, setBusy] = useState(false);
  const page = loaded.value;
  const filtered = Object.values(filter).some(Boolean);

  const more = async () => {
    if (busy || !page?.next) return;
    setBusy(true);
    try {
      const part = await load({ ...filter, before: page.next });
      loaded.set((old) => ({ entries: [...old.entries, ...part.entries], next: part.next }));
    } catch (error) {
      toastError(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Filters people={people} csv={csv + queryOf(filter)} empty={!page?.entries.length} />
      {!page && loaded.problem && <ProblemState problem={loaded.problem} retry={loaded.reload} />}
      {!page && !loaded.problem && <div class={css.ghost} aria-busy="true" data-testid="state-loading" />}
      {page?.entries.length === 0 && (
        <EmptyState icon={ScrollText} title="Nothing here" testid="audit-empty">
          {filtered
            ? "Nothing was done that fits these filters."
            : "What people do to members, videos, jobs, exports and settings is written down here."}
        </EmptyState>
      )}
      {page && page.entries.length > 0 && (
        <FramedList testid="audit">
          {page.entries.map((entry) => (
            <Row key={entry.id} entry={entry} />
          ))}
        </FramedList>
      )}
      {page?.next && (
        <>
          <More onSeen={more} />
          <p class={css.more}>
            <Button size="small" testid="audit-more" busy={busy} onClick={more}>
              Show older
            </Button>
          </p>
        </>
      )}
    </>
  );
}

function Filters({ people, csv, empty }: { people: AuditListProps["people"]; csv: string; empty: boolean }) {
  const asked = query.value;
  const field = (name: string) => asked.get(name) ?? "";
  return (
    <div class={css.filters}>
      <SelectField
        label="What"
        bare
        testid="audit-action"
        value={field("action")}
        options={Object.entries(KINDS).map(([value, name]) => ({ value, name }))}
        onChange={(action) => setQuery({ action })}
      />
      {people.length > 0 && (
        <SelectField
          label="Who"
          bare
          testid="audit-who"
          value={field("who")}
          options={[
            { value: "", name: "Everybody" },
            ...people.map(({ id, name }) => ({ value: String(id), name })),
          ]}
          onChange={(who) => setQuery({ who })}
        />
      )}
      <DayField name="since" label="From" testid="audit-since" value={field("since")} />
      <DayField name="until" label="To" testid="audit-until" value={field("until")} />
      <span class={css.grow} />
      {!empty && (
        <a class={css.csv} href={csv} download data-testid="audit-csv">
          <Download size={15} aria-hidden="true" />
          CSV
        </a>
      )}
    </div>
  );
}

function Row({ entry }: { entry: AuditEntry }) {
  const details = detailsOf(entry.details);
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 60_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <li class={css.row} data-testid={`audit-${entry.id}`} data-action={entry.action}>
      <time dateTime={entry.at} title={new Date(entry.at).toLocaleString("en")}>
        {ago(entry.at, now)}
      </time>
      <span class={css.what}>
        <span>
          {!NAMELESS.has(entry.action) && <b>{entry.who_name || "Maskwright"}</b>} {sentenceOf(entry)}
        </span>
        {details && <small>{details}</small>}
      </span>
    </li>
  );
}
