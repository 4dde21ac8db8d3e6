import { act } from "preact/test-utils";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ME } from "../../api/samples";
import { me } from "../../api/session";
import { FakeServer } from "../../api/testing";
import { click, fire, get, hide, query, settled, show, type } from "../../parts/testing";
import { parse, route } from "../../route";
import Pages from "../Pages";
import { browserOf } from "./AccountPage";

const WORK = { jobs: [], reviews: [], pools: [], next_jobs: null, next_reviews: null, next_pools: null };
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

async function open(path: string, answers: Record<string, unknown>): Promise<FakeServer> {
  const server = new FakeServer({ "GET /api/me": ME, "GET /api/me/work": WORK, ...answers });
  history.replaceState(null, "", path);
  route.value = parse(path);
  await show(<Pages at={route.value} />);
  for (let turn = 0; turn < 4; turn += 1) await act(settled);
  return server;
}

afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

describe("one's own page", () => {
  test("changes names, and ends the sessions of other browsers", async () => {
    me.value = undefined;
    const session = { address: "10.0.0.8", agent: FIREFOX, signed_in_at: "2026-01-01T00:00:00Z" };
    const sessions = [1, 2, 3].map((id) => ({ ...session, id, current: id === 1 }));
    const server = await open("/account", {
      "GET /api/me/sessions": sessions,
      "DELETE /api/me/sessions": null,
      "PATCH /api/me": { ...ME, first_name: "Ada", last_name: "Lovelace" },
    });
    expect(get("session-1").textContent).toContain("Firefox on Linux");
    expect(query("session-end-1")).toBeNull(); // This browser is signed out by the menu.
    await type("names-first", "Ada");
    await type("names-last", "Lovelace");
    await fire("names-form", new SubmitEvent("submit", { cancelable: true }));
    expect(server.body("PATCH /api/me")).toEqual({
      first_name: "Ada",
      last_name: "Lovelace",
      name: ME.name,
      email: ME.email,
    });
    expect(get<HTMLButtonElement>("names-save").disabled).toBe(true);
    await click("sessions-end");
    await act(settled);
    expect(server.lines).toContain("DELETE /api/me/sessions");
    expect(browserOf("curl/8.5")).toBe("curl/8.5");
  });
});

describe("whoever annotates", () => {
  test("is led to their work when they come, and to the projects when they ask for them", async () => {
    me.value = null; // signed out, so that the next page is the first one
    const annotator = { "GET /api/me": { ...ME, lands: "work" }, "GET /api/projects": [] };
    await open("/", annotator);
    expect(location.pathname).toBe("/work");
    await open("/", annotator);
    expect(location.pathname).toBe("/");
    expect(query("projects-empty")).not.toBeNull();

    hide();
    me.value = null; // The session ended, and the sign-in page was shown instead of this one.
    me.value = { ...ME, lands: "work" };
    await open("/", annotator);
    expect(location.pathname).toBe("/work");
  });
});
