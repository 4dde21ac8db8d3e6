/** One's own page: names and mail address, the browsers in which one is signed in, notifications, tokens for scripts. */
import { MonitorSmartphone } from "lucide-preact";
import { useAttempt } from "../../api/attempt";
import { call, callAll } from "../../api/http";
import { useLoaded } from "../../api/load";
import { changeMe, me } from "../../api/session";
import type { Me } from "../../api/types";
import { ago } from "../../format";
import { NotificationSwitches } from "../../notifications/NotificationSettings";
import { Button } from "../../parts/Button";
import { TextField } from "../../parts/Field";
import { FramedList, ListGhost, RowText } from "../../parts/FramedList";
import { toast, toastError } from "../../parts/Toast";
import { openAccount } from "../Account";
import { useDraft } from "../draft";
import form from "../Form.module.css";
import { FormProblem } from "../FormProblem";
import { PageHead } from "../PageHead";
import { ProblemState } from "../ProblemState";
import { Quota } from "../Quota";
import { openSecondFactor } from "../SecondFactor";
import { Section } from "../Section";
import { Shell } from "../Shell";
import { TokenList } from "../Tokens";
import css from "./AccountPage.module.css";

export function AccountPage() {
  const person = me.value;
  return (
    <Shell title="Your account" crumbs={[{ name: "Your account", href: "/account" }]}>
      <PageHead title="Your account" />
      {person && (
        <div class={css.page}>
          <Section title="Names">
            <Names person={person} />
          </Section>
          <Section title="Password">
            {person.signs_in_outside ? (
              <p class={form.note}>Your organisation signs you in, so this account has no password here.</p>
            ) : (
              <div class={form.row}>
                <p class={form.note}>
                  {person.has_password
                    ? "A new password signs you out everywhere else."
                    : "You came by a link and have no password yet."}
                </p>
                <Button testid="account-password-change" onClick={openAccount}>
                  {person.has_password ? "Change password" : "Choose a password"}
                </Button>
              </div>
            )}
          </Section>
          <Section title="Second factor">
            <div class={form.row}>
              <p class={form.note}>A code of an app, asked for after the password.</p>
              <Button testid="account-factor" onClick={openSecondFactor}>
                Set up or change
              </Button>
            </div>
          </Section>
          <Section title="Where you are signed in">
            <Sessions />
          </Section>
          <Section title="Your quota">
            <OwnQuota />
          </Section>
          <Section title="What you are told of">
            <NotificationSwitches />
          </Section>
          <Section title="Tokens for scripts">
            <TokenList />
          </Section>
        </div>
      )}
    </Shell>
  );
}

function OwnQuota() {
  return <Quota loaded={useLoaded("own quota", () => call("GET", "/api/me/quota"))} />;
}

function Names({ person }: { person: Me }) {
  const first = useDraft(person.first_name);
  const last = useDraft(person.last_name);
  const name = useDraft(person.name);
  const email = useDraft(person.email);
  const { busy, problem, attempt } = useAttempt();
  const drafts = [first, last, name, email];
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    attempt(async () => {
      await changeMe({
        first_name: first.value,
        last_name: last.value,
        name: name.value,
        email: email.value.trim(),
      });
      for (const draft of drafts) draft.done();
      toast({ text: "Your account is saved." });
    });
  };
  return (
    <form class={form.form} onSubmit={submit} data-testid="names-form">
      <div class={css.pair}>
        <TextField
          label="First name"
          testid="names-first"
          value={first.value}
          onInput={first.set}
          maxLength={150}
          autocomplete="given-name"
        />
        <TextField
          label="Last name"
          testid="names-last"
          value={last.value}
          onInput={last.set}
          maxLength={150}
          autocomplete="family-name"
        />
      </div>
      <TextField
        label="Shown as"
        testid="names-shown"
        value={name.value}
        onInput={name.set}
        maxLength={120}
        hint={`What others see. Without one they see your first and last name, or your user name, ${person.username}.`}
        autocomplete="nickname"
      />
      <TextField
        label="Mail address"
        type="email"
        testid="names-email"
        value={email.value}
        onInput={email.set}
        autocomplete="email"
      />
      <FormProblem testid="names-problem" text={problem} />
      <div>
        <Button
          type="submit"
          tone="accent"
          testid="names-save"
          busy={busy}
          disabled={!drafts.some(({ dirty }) => dirty)}
        >
          Save
        </Button>
      </div>
    </form>
  );
}

const BROWSERS = ["Edg", "OPR", "Firefox", "Chrome", "Safari"];
const SYSTEMS = ["iPhone", "iPad", "Android", "Windows", "Mac OS X", "Linux"];
const CALLED: Record<string, string> = { Edg: "Edge", OPR: "Opera", "Mac OS X": "macOS" };

/** Returns "Firefox on Linux" for what a browser says of itself; what it says, if it is none that is known. */
export function browserOf(agent: string): string {
  const named = (names: readonly string[]) => {
    const found = names.find((name) => agent.includes(name));
    return found && (CALLED[found] ?? found);
  };
  return [named(BROWSERS), named(SYSTEMS)].filter(Boolean).join(" on ") || agent || "Unknown browser";
}

function Sessions() {
  const loaded = useLoaded("sessions", () => callAll("/api/me/sessions"));
  const { busy, attempt } = useAttempt();
  if (!loaded.value)
    return loaded.problem ? <ProblemState problem={loaded.problem} retry={loaded.reload} /> : <ListGhost />;
  const end = (act: () => Promise<unknown>, done: string) =>
    attempt(async () => {
      try {
        await act();
        toast({ text: done });
      } catch (error) {
        toastError(error);
      }
      await loaded.reload();
    });
  const endOne = (session_id: number) =>
    end(() => call("DELETE", "/api/me/sessions/{session_id}", { path: { session_id } }), "It is signed out.");
  const endOthers = () =>
    end(() => call("DELETE", "/api/me/sessions"), "You are signed out everywhere else.");
  const others = loaded.value.filter(({ current }) => !current);
  return (
    <>
      <FramedList testid="sessions">
        {loaded.value.map((session) => (
          <li key={session.id} data-testid={`session-${session.id}`}>
            <MonitorSmartphone size={18} aria-hidden="true" class={css.icon} />
            <RowText note={`${session.address} · signed in ${ago(session.signed_in_at)}`}>
              {browserOf(session.agent)}
            </RowText>
            {session.current ? (
              <span class={css.current}>this browser</span>
            ) : (
              <Button
                size="small"
                testid={`session-end-${session.id}`}
                busy={busy}
                onClick={() => endOne(session.id)}
              >
                Sign out
              </Button>
            )}
          </li>
        ))}
      </FramedList>
      {others.length > 1 && (
        <div>
          <Button size="small" tone="bad" testid="sessions-end" busy={busy} onClick={endOthers}>
            Sign out everywhere else
          </Button>
        </div>
      )}
    </>
  );
}
