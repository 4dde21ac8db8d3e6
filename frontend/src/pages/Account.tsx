/** The dialog in which people change their own name and password. */
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { asProblem, useLoaded } from "../api/load";
import { changeMe, loadWaysIn } from "../api/session";
import type { AccountChange, Me } from "../api/types";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { TextField } from "../parts/Field";
import { toast } from "../parts/Toast";
import css from "./Form.module.css";

const opened = signal(false);

export function openAccount(): void {
  opened.value = true;
}

export function Account({ me }: { me: Me }) {
  return opened.value ? <AccountDialog me={me} /> : null;
}

function AccountDialog({ me }: { me: Me }) {
  const [name, setName] = useState(me.name);
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const ways = useLoaded("ways-in", loadWaysIn);
  const close = () => {
    opened.value = false;
  };

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const change: AccountChange = { name };
    if (password) Object.assign(change, { password, current_password: current });
    setBusy(true);
    setProblem("");
    try {
      await changeMe(change);
      toast({ text: password ? "Name and password saved. Other browsers are signed out." : "Name saved." });
      close();
    } catch (error) {
      setProblem(asProblem(error).message);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog
      title="Name and password"
      size="small"
      testid="account-dialog"
      onClose={close}
      footer={
        <>
          <Button testid="account-cancel" onClick={close}>
            Cancel
          </Button>
          <Button testid="account-save" type="submit" form="account-form" tone="accent" busy={busy}>
            Save
          </Button>
        </>
      }
    >
      <form id="account-form" class={css.form} onSubmit={submit}>
        <TextField
          label="Name"
          testid="account-name"
          value={name}
          onInput={setName}
          maxLength={120}
          hint={`What others see. Without one they see your user name, ${me.username}.`}
          autocomplete="name"
        />
        {me.has_password && (
          <TextField
            label="Current password"
            testid="account-current"
            type="password"
            value={current}
            onInput={setCurrent}
            hint="Only to change it."
            autocomplete="current-password"
          />
        )}
        {!me.signs_in_outside && (
          <TextField
            label="New password"
            testid="account-password"
            type="password"
            value={password}
            onInput={setPassword}
            hint={me.has_password ? "Empty: it stays as it is." : "You came by a link and have none yet."}
            autocomplete="new-password"
          />
        )}
        {!me.signs_in_outside &&
          ways.value?.providers.map(({ name, address }) => (
            <a key={address} href={address} data-testid="account-connect">
              {`Connect this account with ${name}`}
            </a>
          ))}
        {problem && (
          <p class={css.problem} role="alert" data-testid="account-problem">
            {problem}
          </p>
        )}
      </form>
    </Dialog>
  );
}
