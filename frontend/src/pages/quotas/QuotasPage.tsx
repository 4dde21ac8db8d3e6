/** The quotas of the site, for administrators: those of each project and each person, and the own ones of some. */
import { Trash2 } from "lucide-preact";
import { useState } from "preact/hooks";
import { call } from "../../api/http";
import { useLoaded } from "../../api/load";
import type { Limits, Quotas, QuotaTarget } from "../../api/types";
import { bytes, plural, workTime } from "../../format";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { SelectField, TextField } from "../../parts/Field";
import { FramedList, ListGhost, RowText } from "../../parts/FramedList";
import { IconButton } from "../../parts/IconButton";
import { toast, toastError } from "../../parts/Toast";
import account from "../account/AccountPage.module.css";
import form from "../Form.module.css";
import { PageHead } from "../PageHead";
import { ProblemState } from "../ProblemState";
import { Section } from "../Section";
import { Shell } from "../Shell";
import { LimitsForm } from "./LimitsForm";

type Own = Quotas["own"][number];

interface PartProps {
  quotas: Quotas;
  changed: (quotas: Quotas) => void;
}

export function QuotasPage() {
  const { value: quotas, problem, reload, set } = useLoaded("quotas", () => call("GET", "/api/quotas"));
  return (
    <Shell title="Quotas" crumbs={[{ name: "Quotas", href: "/quotas" }]}>
      <PageHead title="Quotas">
        <p>What is beyond a limit stays, and nothing can be added to it.</p>
      </PageHead>
      {!quotas && problem && <ProblemState problem={problem} retry={reload} />}
      {!quotas && !problem && <ListGhost />}
      {quotas && (
        <div class={account.page}>
          <Each quotas={quotas} changed={set} scope="project" />
          <Each quotas={quotas} changed={set} scope="person" />
          <Owned quotas={quotas} changed={set} />
        </div>
      )}
    </Shell>
  );
}

function Each({ quotas, changed, scope }: PartProps & { scope: "project" | "person" }) {
  const save = async (body: Limits) => {
    changed(await call("PUT", "/api/quotas/{scope}", { path: { scope }, body }));
    toast({ text: `The limits of each ${scope} are saved.` });
  };
  return (
    <Section title={`Each ${scope} without a quota of its own`}>
      <LimitsForm limits={quotas[`each_${scope}`]} testid={`quota-each-${scope}`} save={save} />
    </Section>
  );
}

/** What a quota limits, in a line: "1,000 frames · 2.0 GB · 30 min of workers a day". */
export function limitsText({ frames, bytes: size, engine_seconds }: Limits): string {
  const parts = [
    frames != null && plural(frames, "frame"),
    size != null && bytes(size),
    engine_seconds != null && `${workTime(engine_seconds)} of workers a day`,
  ].filter(Boolean);
  return parts.length ? parts.join(" · ") : "no limit";
}

function Owned({ quotas, changed }: PartProps) {
  const [edited, setEdited] = useState<{ own: Own; isNew: boolean } | null>(null);
  const drop = async ({ scope, id, name }: Own) => {
    const path = { scope, target_id: id };
    try {
      changed(await call("DELETE", "/api/quotas/{scope}/{target_id}", { path }));
      toast({ text: `${name} has the limits of each ${scope} now.` });
    } catch (error) {
      toastError(error);
    }
  };
  const begin = (scope: string, { id, name }: QuotaTarget) => {
    const there = quotas.own.find((own) => own.scope === scope && own.id === id);
    const own = there ?? { scope, id, name, frames: null, bytes: null, engine_seconds: null };
    setEdited({ own, isNew: !there });
  };
  return (
    <Section title="Quotas of their own">
      <TargetSearch onChoose={begin} />
      {quotas.own.length === 0 ? (
        <p class={form.note} data-testid="quotas-none">
          No project and no person has a quota of its own.
        </p>
      ) : (
        <FramedList testid="quotas-own">
          {quotas.own.map((own) => (
            <li key={`${own.scope}-${own.id}`} data-testid={`quota-${own.scope}-${own.id}`}>
              <RowText note={`${own.scope} · ${limitsText(own)}`}>{own.name}</RowText>
              <Button
                size="small"
                testid={`quota-${own.scope}-${own.id}-edit`}
                onClick={() => setEdited({ own, isNew: false })}
              >
                Change
              </Button>
              <IconButton
                icon={Trash2}
                label={`Remove the quota of ${own.name}`}
                size="small"
                tone="bad"
                testid={`quota-${own.scope}-${own.id}-drop`}
                onClick={() => drop(own)}
              />
            </li>
          ))}
        </FramedList>
      )}
      {edited && <OwnDialog {...edited} onClose={() => setEdited(null)} changed={changed} />}
    </Section>
  );
}

interface OwnDialogProps {
  own: Own;
  /** The project or person has no quota of its own yet. */
  isNew: boolean;
  onClose: () => void;
  changed: PartProps["changed"];
}

/** A dialog with the limits of one project or person. */
function OwnDialog({ own, isNew, onClose, changed }: OwnDialogProps) {
  const save = async (body: Limits) => {
    const path = { scope: own.scope, target_id: own.id };
    changed(await call("PUT", "/api/quotas/{scope}/{target_id}", { path, body }));
    toast({ text: `The quota of ${own.name} is saved.` });
    onClose();
  };
  return (
    <Dialog title={`Quota of ${own.name}`} testid="quota-dialog" onClose={onClose}>
      {isNew && (
        <p class={form.note}>
          {`These replace the limits of each ${own.scope}. Left empty, ${own.name} has no limit at all.`}
        </p>
      )}
      <LimitsForm limits={own} testid="quota-own" save={save} isNew={isNew} />
    </Dialog>
  );
}

/** Finds a project or a person by name. */
function TargetSearch({ onChoose }: { onChoose: (scope: string, target: QuotaTarget) => void }) {
  const [scope, setScope] = useState("project");
  const [text, setText] = useState("");
  const found = useLoaded(`targets ${scope} ${text.trim()}`, async () =>
    text.trim()
      ? call("GET", "/api/quotas/{scope}/targets", { path: { scope }, query: { text: text.trim() } })
      : [],
  );
  return (
    <div class={form.form}>
      <div class={form.row}>
        <SelectField
          label="Kind"
          testid="quota-scope"
          value={scope}
          options={[
            { value: "project", name: "project" },
            { value: "person", name: "person" },
          ]}
          onChange={setScope}
        />
        <div class={form.grow}>
          <TextField
            label={`Give a ${scope} its own quota`}
            type="search"
            testid="quota-search"
            value={text}
            onInput={setText}
            placeholder="Name"
            maxLength={120}
          />
        </div>
      </div>
      {found.problem && <p class={form.problem}>{found.problem.message}</p>}
      {text.trim() && found.value?.length === 0 && (
        <p class={form.note} data-testid="quota-nothing">{`No ${scope} has a name like this.`}</p>
      )}
      {found.value && found.value.length > 0 && (
        <FramedList testid="quota-found">
          {found.value.map((target) => (
            <li key={target.id}>
              <RowText note={target.username || undefined}>{target.name}</RowText>
              <Button
                size="small"
                testid={`quota-choose-${target.id}`}
                onClick={() => onChoose(scope, target)}
              >
                Set limits
              </Button>
            </li>
          ))}
        </FramedList>
      )}
    </div>
  );
}
