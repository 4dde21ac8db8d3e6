/** The webhooks of a project: addresses of other programs that are told of what happens. For managers. */
import { Plus } from "lucide-preact";
import { useState } from "preact/hooks";
import { useAttempt } from "../../api/attempt";
import { call } from "../../api/http";
import { useLoaded } from "../../api/load";
import type { Project, Webhook, WebhookEvent } from "../../api/types";
import { Button } from "../../parts/Button";
import { confirm } from "../../parts/Confirm";
import { copyText } from "../../parts/copyText";
import { Dialog } from "../../parts/Dialog";
import { CheckField, TextField } from "../../parts/Field";
import { FramedList, ListGhost, RowText } from "../../parts/FramedList";
import { toastError } from "../../parts/Toast";
import form from "../Form.module.css";
import { FormProblem } from "../FormProblem";
import { ProblemState } from "../ProblemState";
import settings from "../SettingsTab.module.css";
import { Deliveries } from "./Deliveries";
import css from "./Webhooks.module.css";

export function Webhooks({ project }: { project: Project }) {
  const path = { project_id: project.id };
  const loaded = useLoaded(`webhooks ${project.id}`, () =>
    call("GET", "/api/projects/{project_id}/webhooks", { path }),
  );
  const [making, setMaking] = useState(false);
  const [looked, setLooked] = useState<Webhook | null>(null);
  return (
    <section class={settings.form} aria-label="Webhooks">
      <h2 class={settings.title}>Webhooks</h2>
      <p class={form.note}>
        Other programs are told of what happens here by a signed request to their address.
      </p>
      {!loaded.value && loaded.problem && <ProblemState problem={loaded.problem} retry={loaded.reload} />}
      {!loaded.value && !loaded.problem && <ListGhost />}
      {loaded.value?.length === 0 && (
        <p class={form.note} data-testid="webhooks-none">
          Nobody is told yet.
        </p>
      )}
      {loaded.value && loaded.value.length > 0 && (
        <FramedList testid="webhooks">
          {loaded.value.map((webhook) => (
            <Row
              key={webhook.id}
              webhook={webhook}
              onLook={() => setLooked(webhook)}
              onChanged={loaded.reload}
            />
          ))}
        </FramedList>
      )}
      {loaded.value && (
        <div>
          <Button icon={Plus} testid="webhook-new" onClick={() => setMaking(true)}>
            Add webhook
          </Button>
        </div>
      )}
      {making && <NewWebhook project={project} onClose={() => setMaking(false)} onMade={loaded.reload} />}
      {looked && <Deliveries webhook={looked} onClose={() => setLooked(null)} />}
    </section>
  );
}

/** What a row says below the address. */
export function describeWebhook({ events, active, note, author }: Webhook): string {
  const what = events.length ? events.join(", ") : "all events";
  return [what, active ? "" : note || "switched off", `by ${author}`].filter(Boolean).join(" · ");
}

interface RowProps {
  webhook: Webhook;
  onLook: () => void;
  onChanged: () => Promise<void>;
}

function Row({ webhook, onLook, onChanged }: RowProps) {
  const { id, url, active } = webhook;
  const path = { webhook_id: id };
  const { busy, attempt } = useAttempt();
  const work = (act: () => Promise<unknown>) =>
    attempt(async () => {
      await act().catch(toastError);
      await onChanged();
    });
  const drop = async () => {
    const text = "It is told of nothing any more, and the list of what was sent is deleted.";
    if (await confirm({ title: `Delete the webhook to ${url}?`, text, yes: "Delete webhook" }))
      await work(() => call("DELETE", "/api/webhooks/{webhook_id}", { path }));
  };
  return (
    <li data-testid={`webhook-${id}`}>
      <RowText note={describeWebhook(webhook)}>{url}</RowText>
      <span class={css.buttons}>
        <Button size="small" testid={`webhook-log-${id}`} onClick={onLook}>
          What was sent
        </Button>
        <Button
          size="small"
          tone="quiet"
          testid={`webhook-turn-${id}`}
          busy={busy}
          onClick={() =>
            work(() => call("PATCH", "/api/webhooks/{webhook_id}", { path, body: { active: !active } }))
          }
        >
          {active ? "Switch off" : "Switch on"}
        </Button>
        <Button size="small" tone="bad" testid={`webhook-delete-${id}`} busy={busy} onClick={drop}>
          Delete
        </Button>
      </span>
    </li>
  );
}

interface NewWebhookProps {
  project: Project;
  onClose: () => void;
  onMade: () => Promise<void>;
}

function NewWebhook({ project, onClose, onMade }: NewWebhookProps) {
  // A ping is what the test button sends, whatever events are chosen.
  const events = useLoaded("webhook events", async () =>
    (await call("GET", "/api/webhook-events")).filter(({ name }) => name !== "ping"),
  );
  const [url, setUrl] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<WebhookEvent["name"]>>(new Set());
  const [secret, setSecret] = useState("");
  const { busy, problem, attempt } = useAttempt();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    attempt(async () => {
      const made = await call("POST", "/api/projects/{project_id}/webhooks", {
        path: { project_id: project.id },
        body: { url: url.trim(), events: [...chosen] },
      });
      setSecret(made.secret);
      await onMade();
    });
  };
  const toggle = (name: WebhookEvent["name"], on: boolean) => {
    const next = new Set(chosen);
    if (on) next.add(name);
    else next.delete(name);
    setChosen(next);
  };
  if (secret) return <Secret secret={secret} onClose={onClose} />;
  const close = () => {
    if (!busy) onClose(); // The answer is the secret, which is shown only once.
  };
  return (
    <Dialog
      title="Add a webhook"
      testid="webhook-dialog"
      onClose={close}
      kept={busy}
      footer={
        <>
          <Button testid="webhook-cancel" onClick={close}>
            Cancel
          </Button>
          <Button
            testid="webhook-make"
            type="submit"
            form="webhook-form"
            tone="accent"
            busy={busy}
            disabled={!url.trim()}
          >
            Add webhook
          </Button>
        </>
      }
    >
      <form id="webhook-form" class={form.form} onSubmit={submit}>
        <TextField
          label="Address"
          testid="webhook-url"
          value={url}
          onInput={setUrl}
          placeholder="https://example.org/maskwright"
          maxLength={2000}
          autofocus
        />
        <fieldset class={css.events}>
          <legend>Told of</legend>
          {!events.value && <p class={form.note}>{events.problem?.message ?? "Loading…"}</p>}
          {events.value?.map(({ name, text }) => (
            <CheckField
              key={name}
              label={name}
              hint={text}
              testid={`webhook-event-${name.replace(".", "-")}`}
              checked={chosen.has(name)}
              onChange={(on) => toggle(name, on)}
            />
          ))}
          <p class={form.note}>With none chosen, it is told of all of them.</p>
        </fieldset>
        <FormProblem testid="webhook-problem" text={problem} />
      </form>
    </Dialog>
  );
}

/** Shows the secret, which the server never tells again. */
function Secret({ secret, onClose }: { secret: string; onClose: () => void }) {
  return (
    <Dialog
      title="The webhook is there"
      size="small"
      testid="webhook-made"
      onClose={onClose}
      kept
      footer={
        <>
          <Button testid="webhook-secret-copy" onClick={() => copyText(secret, "secret")}>
            Copy
          </Button>
          <Button testid="webhook-secret-done" tone="accent" onClick={onClose}>
            Done
          </Button>
        </>
      }
    >
      <div class={form.form}>
        <p class={form.note}>Every request is signed with this secret. Copy it now, it is not shown again.</p>
        <code class={css.secret} data-testid="webhook-secret">
          {secret}
        </code>
      </div>
    </Dialog>
  );
}
