/** Who is signed in. */
import { effect, signal } from "@preact/signals";
import { call, HttpProblem, SIGNED_OUT } from "./http";
import type { AccountChange, Me, WaysIn } from "./types";

/** The person who is signed in; null if nobody is, undefined before the server was asked. */
export const me = signal<Me | null | undefined>(undefined);

/** Whether a page was shown since the sign-in. The first one may lead on; later ones are where the person wanted to go. */
export const arrived = signal(false);

effect(() => {
  if (me.value === null) arrived.value = false;
});

addEventListener(SIGNED_OUT, () => {
  me.value = null;
});

/** Asks the server who is signed in. Throws HttpProblem if the server cannot be reached. */
export async function loadMe(): Promise<void> {
  try {
    me.value = await call("GET", "/api/me");
  } catch (error) {
    if (!(error instanceof HttpProblem) || error.status !== 401) throw error;
    me.value = null;
  }
}

/** Signs in. Raises HttpProblem with the code "code_needed" if the person has a second factor and `code` is empty. */
export async function signIn(username: string, password: string, code = ""): Promise<void> {
  me.value = await call("POST", "/api/sign-in", { body: { username, password, code } });
}

/** Loads which buttons the sign-in shows beside user name and password. */
export function loadWaysIn(): Promise<WaysIn> {
  return call("GET", "/api/sign-in");
}

export async function signOut(): Promise<void> {
  await call("POST", "/api/sign-out");
  me.value = null;
}

export async function changeMe(change: AccountChange): Promise<void> {
  me.value = await call("PATCH", "/api/me", { body: change });
}
