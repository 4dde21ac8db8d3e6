/** Tokens, with which scripts call the REST API as the person who made them. */
import { call, callAll } from "./http";
import { type Loaded, useLoaded } from "./load";
import type { NewToken, Token, TokenDraft } from "./types";

/** Loads the tokens of the person who is signed in, newest first. */
export function useTokens(): Loaded<Token[]> {
  return useLoaded("tokens", () => callAll("/api/tokens"));
}

/** Makes a token. Only this answer has its secret. */
export function makeToken(draft: TokenDraft): Promise<NewToken> {
  return call("POST", "/api/tokens", { body: draft });
}

export async function revokeToken(token: number): Promise<void> {
  await call("DELETE", "/api/tokens/{token_id}", { path: { token_id: token } });
}

/** Whether a token can still be used. */
export function isValid(token: Token, now = Date.now()): boolean {
  return token.revoked_at === null && (token.expires_at === null || Date.parse(token.expires_at) > now);
}
