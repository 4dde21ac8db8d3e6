/** The dialog in which people make and revoke tokens for their scripts. */
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { asProblem } from "../api/load";
import { isValid, makeToken, revokeToken, useTokens } from "../api/tokens";
import type { NewToken, Token } from "../api/types";
import { ago } from "../format";
import { Button } from "../parts/Button";
import { Dialog } from "../parts/Dialog";
import { SelectField, TextField } from "../parts/Field";
import { ListGhost } from "../parts/FramedList";
import css from "./Form.module.css";

const opened = signal(false);
const DAYS: Record<string, number | null> = { "30": 30, "90": 90, "365": 365, never: null };

export function openTokens(): void {
  opened.value = true;
}

export function Tokens() {
  return opened.value ? <TokensDialog /> : null;
}

function TokensDialog() {
  const [asked, setAsked] = useState(false);
  const close = () => {
    opened.value = false;
  };
  return (
    <Dialog title="Tokens for scripts" testid="tokens-dialog" onClose={close} kept={asked}>
      <TokenList onAsked={() => setAsked(true)} />
    </Dialog>
  );
}

/** The tokens of the person who is signed in, and the form that makes one. `onAsked` is called before one is made. */
export function TokenList({ onAsked }: { onAsked?: () => void }) {
  const tokens = useTokens();
  const [made, setMade] = useState<NewToken | null>(null);
  const [problem, setProblem] = useState("");
  const attempt = async (act: () => Promise<void>) => {
    setProblem("");
    try {
      await act();
    } catch (error) {
      setProblem(asProblem(error).message);
    }
    await tokens.reload();
  };
  return (
    <div class={css.form}>
      {made && (
        <p role="status" data-testid="token-secret">
          Copy this token now, it is not shown again: <code>{made.secret}</code>
        </p>
      )}
      <NewTokenForm
        onSubmit={(name, write, days) =>
          attempt(async () => {
            onAsked?.();
            setMade(await makeToken({ name, may_write: write, days, projects: null }));
          })
        }
      />
      {(problem || tokens.problem) && (
        <p class={css.problem} role="alert" data-testid="token-problem">
          {problem || tokens.problem?.message}
        </p>
      )}
      {!tokens.value && !tokens.problem && <ListGhost />}
      {tokens.value?.length === 0 && (
        <p class={css.note} data-testid="tokens-none">
          You have no token yet. A script signs in with one instead of your password.
        </p>
      )}
      {tokens.value?.map((token) => (
        <Row key={token.id} token={token} onRevoke={() => attempt(() => revokeToken(token.id))} />
      ))}
    </div>
  );
}

function NewTokenForm({
  onSubmit,
}: {
  onSubmit: (name: string, write: boolean, days: number | null) => void;
}) {
  const [name, setName] = useState("");
  const [rights, setRights] = useState("read");
  const [days, setDays] = useState("90");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onSubmit(name, rights === "write", DAYS[days] ?? null);
    setName("");
  };
  return (
    <form class={css.row} onSubmit={submit}>
      <div class={css.grow}>
        <TextField
          label="What it is for"
          testid="token-name"
          value={name}
          onInput={setName}
          maxLength={60}
          required
        />
      </div>
      <SelectField
        label="May"
        testid="token-rights"
        value={rights}
        options={[
          { value: "read", name: "read" },
          { value: "write", name: "read and change" },
        ]}
        onChange={setRights}
      />
      <SelectField
        label="For"
        testid="token-days"
        value={days}
        options={Object.entries(DAYS).map(([value, count]) => ({
          value,
          name: count === null ? "ever" : `${count} days`,
        }))}
        onChange={setDays}
      />
      <Button testid="token-make" type="submit" tone="accent" disabled={!name.trim()}>
        Make token
      </Button>
    </form>
  );
}

/** Returns the sentence under the name of a token. */
export function describeToken(token: Token): string {
  const use = token.last_used_at ? `used ${ago(token.last_used_at)}` : "never used";
  const end = token.revoked_at ? "revoked" : isValid(token) ? "" : "expired";
  const rights = token.may_write ? "may change things" : "reads only";
  return [`…${token.hint}`, rights, use, end].filter(Boolean).join(" · ");
}

function Row({ token, onRevoke }: { token: Token; onRevoke: () => void }) {
  return (
    <div class={css.row} data-testid={`token-${token.id}`}>
      <div class={css.grow}>
        <b>{token.name}</b> <small>{describeToken(token)}</small>
      </div>
      {isValid(token) && (
        <Button testid={`token-revoke-${token.id}`} onClick={onRevoke}>
          Revoke
        </Button>
      )}
    </div>
  );
}
