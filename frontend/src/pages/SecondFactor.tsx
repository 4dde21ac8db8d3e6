/** The dialog in which people set up a second factor, get new recovery codes, or turn it off. */
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { type Attempt, useAttempt } from "../api/attempt";
import { useLoaded } from "../api/load";
import {
  beginSecondFactor,
  confirmSecondFactor,
  loadSecondFactor,
  renewRecoveryCodes,
  turnSecondFactorOff,
} from "../api/secondFactor";
import { loadMe, signOut } from "../api/session";
import type { Me, SecondFactorSetup } from "../api/types";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { TextField } from "../parts/Field";
import { toast, toastError } from "../parts/Toast";
import form from "./Form.module.css";
import { FormProblem } from "./FormProblem";
import css from "./SecondFactor.module.css";

const opened = signal(false);

export function openSecondFactor(): void {
  opened.value = true;
}

/** The dialog, if it was opened or if the person can do nothing else before a second factor is set up. */
export function SecondFactor({ me: person }: { me: Me }) {
  return opened.value || person.second_factor_missing ? <SecondFactorDialog person={person} /> : null;
}

function SecondFactorDialog({ person }: { person: Me }) {
  const [codes, setCodes] = useState<string[] | null>(null);
  const attempt = useAttempt();
  const finish = async () => {
    opened.value = false;
    await loadMe();
  };
  const close = () => {
    if (attempt.busy) return; // The answer may be codes, which are shown only once.
    if (codes) {
      attempt.attempt(finish);
      return;
    }
    opened.value = false;
    if (person.second_factor_missing) signOut().catch(toastError);
  };
  return (
    <Dialog
      title="Second factor"
      size="small"
      testid="second-factor"
      onClose={close}
      kept={attempt.busy || codes !== null}
    >
      <Steps person={person} codes={codes} onCodes={setCodes} attempt={attempt} finish={finish} />
    </Dialog>
  );
}

interface StepsProps {
  person: Me;
  /** New recovery codes; null while there are none to show. */
  codes: string[] | null;
  onCodes: (codes: string[]) => void;
  attempt: Attempt;
  finish: () => Promise<void>;
}

function Steps({ person, codes, onCodes, attempt: { busy, problem, attempt }, finish }: StepsProps) {
  const state = useLoaded("second-factor", loadSecondFactor);
  const [setup, setSetup] = useState<SecondFactorSetup | null>(null);
  const on = state.value?.on ?? false;
  return (
    <div class={form.form}>
      {codes ? (
        <Codes codes={codes} busy={busy} onDone={() => attempt(finish)} />
      ) : setup ? (
        <Confirm
          setup={setup}
          busy={busy}
          onCode={(code) => attempt(async () => onCodes(await confirmSecondFactor(code)))}
        />
      ) : !state.value ? null : !on ? (
        <Begin
          person={person}
          busy={busy}
          onPassword={(password) => attempt(async () => setSetup(await beginSecondFactor(password)))}
        />
      ) : (
        <IsOn
          left={state.value.codes_left}
          demanded={state.value.demanded}
          busy={busy}
          onRenew={(code) => attempt(async () => onCodes(await renewRecoveryCodes(code)))}
          onTurnOff={(code) =>
            attempt(async () => {
              await turnSecondFactorOff(code);
              toast({ text: "The second factor is off." });
              await finish();
            })
          }
        />
      )}
      <FormProblem testid="second-factor-problem" text={problem || state.problem?.message} />
    </div>
  );
}

interface BeginProps {
  person: Me;
  busy: boolean;
  onPassword: (password: string) => void;
}

function Begin({ person, busy, onPassword }: BeginProps) {
  const [password, setPassword] = useState("");
  return (
    <form
      class={form.form}
      onSubmit={(event) => {
        event.preventDefault();
        onPassword(password);
      }}
    >
      <p class={form.note}>
        {person.second_factor_missing && "This site demands a second factor of you. "}
        An app on your phone (such as Aegis, 2FAS or a password manager) shows six digits, which are asked for
        after your password.
      </p>
      {person.has_password && (
        <TextField
          label="Current password"
          testid="second-factor-password"
          type="password"
          value={password}
          onInput={setPassword}
          autocomplete="current-password"
          required
          autofocus
        />
      )}
      <Button testid="second-factor-begin" type="submit" tone="accent" busy={busy}>
        Set it up
      </Button>
    </form>
  );
}

interface ConfirmProps {
  setup: SecondFactorSetup;
  busy: boolean;
  onCode: (code: string) => void;
}

function Confirm({ setup, busy, onCode }: ConfirmProps) {
  const [code, setCode] = useState("");
  return (
    <form
      class={form.form}
      onSubmit={(event) => {
        event.preventDefault();
        onCode(code);
      }}
    >
      <p class={form.note}>Scan this picture with the app, or type the key into it.</p>
      <img
        class={css.picture}
        src={setup.picture}
        alt="QR code of the key"
        data-testid="second-factor-picture"
      />
      <code class={css.key} data-testid="second-factor-key">
        {setup.secret.replace(/(.{4})(?=.)/g, "$1 ")}
      </code>
      <CodeField value={code} onInput={setCode} />
      <Button testid="second-factor-confirm" type="submit" tone="accent" busy={busy} disabled={!code.trim()}>
        Turn on
      </Button>
    </form>
  );
}

function Codes({ codes, busy, onDone }: { codes: string[]; busy: boolean; onDone: () => void }) {
  return (
    <>
      <p class={form.note} role="status">
        Keep these recovery codes where you find them without your phone. Each works once instead of the six
        digits, and they are not shown again.
      </p>
      <pre class={css.codes} data-testid="second-factor-codes">
        {codes.join("\n")}
      </pre>
      <Button testid="second-factor-done" tone="accent" busy={busy} onClick={onDone}>
        I have kept them
      </Button>
    </>
  );
}

interface IsOnProps {
  left: number;
  demanded: boolean;
  busy: boolean;
  onRenew: (code: string) => void;
  onTurnOff: (code: string) => void;
}

function IsOn({ left, demanded, busy, onRenew, onTurnOff }: IsOnProps) {
  const [code, setCode] = useState("");
  const empty = !code.trim();
  return (
    <>
      <p class={form.note} data-testid="second-factor-state">
        {`It is on. You have ${left} unused recovery ${left === 1 ? "code" : "codes"}. `}
        {demanded ? "This site demands it, so it stays on." : "A code confirms a change."}
      </p>
      <CodeField value={code} onInput={setCode} />
      <div class={form.row}>
        <Button testid="second-factor-renew" busy={busy} disabled={empty} onClick={() => onRenew(code)}>
          New recovery codes
        </Button>
        {!demanded && (
          <Button testid="second-factor-off" busy={busy} disabled={empty} onClick={() => onTurnOff(code)}>
            Turn off
          </Button>
        )}
      </div>
    </>
  );
}

function CodeField({ value, onInput }: { value: string; onInput: (value: string) => void }) {
  return (
    <TextField
      label="Code of the app"
      testid="second-factor-code"
      value={value}
      onInput={onInput}
      maxLength={60}
      autocomplete="one-time-code"
      autofocus
    />
  );
}
