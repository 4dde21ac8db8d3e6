import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeServer, Refusal } from "../api/testing";
import type { Token } from "../api/types";
import { click, get, hide, query, settled, show, type } from "../parts/testing";
import { openTokens, Tokens } from "./Tokens";

const TOKEN: Token = {
  id: 4,
  name: "Nightly",
  hint: "wxyz",
  projects: null,
  may_write: true,
  created_at: "2026-01-01T00:00:00Z",
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
};

beforeEach(() => openTokens());

afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

async function open(answers: Record<string, unknown>): Promise<FakeServer> {
  const server = new FakeServer({ "GET /api/tokens": [TOKEN], ...answers });
  await show(<Tokens />);
  await act(settled);
  return server;
}

describe("the dialog of tokens", () => {
  it("makes a token and shows its secret", async () => {
    const server = await open({ "POST /api/tokens": { ...TOKEN, secret: "mwt_secret" } });
    await type("token-name", "Nightly");
    await click("token-make");
    await act(settled);
    expect(server.body("POST /api/tokens")).toEqual({
      name: "Nightly",
      may_write: false,
      days: 90,
      projects: null,
    });
    expect(get("token-secret").textContent).toContain("mwt_secret");
  });

  it("revokes a token, and says why it could not", async () => {
    const server = await open({
      "DELETE /api/tokens/4": new Refusal(404, { code: "not_found", text: "It is gone." }),
    });
    expect(get("token-4").textContent).toContain("…wxyz · may change things · never used");
    await click("token-revoke-4");
    await act(settled);
    expect(server.lines).toContain("DELETE /api/tokens/4");
    expect(get("token-problem").textContent).toBe("It is gone.");
  });

  it("offers no end for a token that has ended", async () => {
    await open({ "GET /api/tokens": [{ ...TOKEN, revoked_at: "2026-01-02T00:00:00Z" }] });
    expect(get("token-4").textContent).toContain("revoked");
    expect(query("token-revoke-4")).toBeNull();
  });
});
