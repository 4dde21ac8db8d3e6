/** The sign-in form, which is shown at every address while nobody is signed in. The page of the address follows. */
import { useEffect, useState } from "preact/hooks";
import { asProblem, useLoaded } from "../api/load";
import { loadWaysIn, signIn } from "../api/session";
import { Button } from "../parts/Button";
import { TextField } from "../parts/Field";
import { Logo } from "../parts/Logo";
import { query } from "../route";
import css from "./SignIn.module.css";

export default function SignIn() {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asksCode, setAsksCode] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  const ways = useLoaded("ways-in", loadWaysIn);

  useEffect(() => {
    document.title = "Sign in · Maskwright";
  }, []);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem("");
    try {
      await signIn(username.trim(), password, code);
    } catch (error) {
      const { code: kind, message } = asProblem(error);
      setCode("");
      if (kind === "code_needed") setAsksCode(true);
      else setProblem(message);
      if (!asksCode && kind !== "code_needed") setPassword("");
    } finally {
      setBusy(false);
    }
  };

  return (
    <main class={css.page}>
      <form class={css.card} onSubmit={submit} data-testid="sign-in">
        <header class={css.head}>
          <Logo size={34} />
          <h1>Maskwright</h1>
          <p>Scribble on one frame, get the masks of all.</p>
        </header>
        <TextField
          label="User name"
          testid="sign-in-username"
          value={username}
          onInput={(name) => {
            setUsername(name);
            setCode("");
            setAsksCode(false); // Whether a code is asked for depends on the person.
          }}
          autocomplete="username"
          maxLength={150}
          required
          autofocus
        />
        <TextField
          label="Password"
          testid="sign-in-password"
          type="password"
          value={password}
          onInput={setPassword}
          autocomplete="current-password"
          required
        />
        {asksCode && (
          <TextField
            label="Code of your app"
            testid="sign-in-code"
            value={code}
            onInput={setCode}
            autocomplete="one-time-code"
            maxLength={60}
            hint="Six digits, or one of your recovery codes."
            required
            autofocus
          />
        )}
        {problem && (
          <p class={css.problem} role="alert" data-testid="sign-in-problem">
            {problem}
          </p>
        )}
        <Button testid="sign-in-submit" type="submit" tone="accent" busy={busy}>
          Sign in
        </Button>
        {ways.value?.providers.map(({ name, address }) => (
          <a key={address} class={css.provider} href={withNext(address)} data-testid="sign-in-provider">
            {name}
          </a>
        ))}
        <p class={css.note}>
          The first time, or without a password: open the sign-in link that the program prints where it was
          started, or ask whoever runs it for one.
        </p>
      </form>
    </main>
  );
}

/** Adds where the person is on the way to, so that the provider's way back leads there. */
function withNext(address: string): string {
  const here =
    location.pathname === "/sign-in"
      ? (query.value.get("next") ?? "/")
      : location.pathname + location.search + location.hash;
  return `${address}?next=${encodeURIComponent(here)}`;
}
