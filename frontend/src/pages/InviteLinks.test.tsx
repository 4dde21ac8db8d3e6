import { act } from "preact/test-utils";
import { afterEach, expect, it, vi } from "vitest";
import { PROJECT } from "../api/samples";
import { FakeServer, Refusal } from "../api/testing";
import { click, fire, get, hide, settled, show, type } from "../parts/testing";
import { InviteLinks } from "./InviteLinks";

const CALL = "POST /api/projects/3/invitations";

afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

it("shows the link of an invitation, and what is wrong with a mail address", async () => {
  const server = new FakeServer({
    "GET /api/projects/3/invitations": [],
    [CALL]: new Refusal(400, { code: "bad_email", text: "x is no mail address." }),
  });
  await show(<InviteLinks project={{ ...PROJECT, role: "owner" }} />);
  await type("invite-email", "x");
  await fire("invite-links", new SubmitEvent("submit", { cancelable: true }));
  expect(get("invite-email-error").textContent).toBe("x is no mail address.");
  server.answers[CALL] = { id: 1, email: "a@b.org", role: "annotator", link: "/invitation/secret" };
  await fire("invite-links", new SubmitEvent("submit", { cancelable: true }));
  expect(server.body(CALL)).toEqual({ role: "annotator", email: "x" });
  expect(get("invite-made").textContent).toContain(`${location.origin}/invitation/secret`);
});

const OPEN = {
  id: 5,
  email: "a@b.org",
  role: "annotator",
  first_name: "Dora",
  last_name: "Klein",
  created_by: "Ada",
  created_at: "2026-01-01T12:00:00Z",
  expires_at: "2026-01-15T12:00:00Z",
};

it("keeps earlier links, which the server never tells again, and says which were mailed", async () => {
  const server = new FakeServer({
    "GET /api/projects/3/invitations": [],
    [CALL]: { ...OPEN, link: "/invitation/first", mailed: false },
    [`${CALL}/csv`]: [
      { number: 2, email: "c@d.org", outcome: "invited", link: "/invitation/second", mailed: true },
      { number: 3, email: "e@f.org", outcome: "member", link: null, mailed: false },
    ],
  });
  await show(<InviteLinks project={{ ...PROJECT, role: "owner" }} />);
  await act(settled);
  await fire("invite-links", new SubmitEvent("submit", { cancelable: true }));
  Object.defineProperty(get("invite-file-input"), "files", {
    value: [new File(["email,role"], "people.csv")],
  });
  await fire("invite-file-input", new Event("change"));
  await act(settled);
  const rows = [...get("invite-made").querySelectorAll("li")].map((row) => row.textContent);
  expect(rows).toEqual([
    `c@d.orgsent by mail${location.origin}/invitation/second`,
    "e@f.orgis a member already",
    `a@b.org${location.origin}/invitation/first`,
  ]);
  expect(server.lines.filter((line) => line === "GET /api/projects/3/invitations")).toHaveLength(3);
});

it("lists invitations that nobody has used yet, and withdraws one", async () => {
  const server = new FakeServer({
    "GET /api/projects/3/invitations": [OPEN, { ...OPEN, id: 6, email: "", first_name: "", last_name: "" }],
    "DELETE /api/invitations/5": null,
  });
  await show(<InviteLinks project={{ ...PROJECT, role: "owner" }} />);
  await act(settled);
  expect(get("invitation-5").textContent).toBe("Dora Klein, a@b.organnotator, from Ada, until 2026-01-15");
  expect(get("invitation-6").textContent).toContain("whoever has the link");
  await click("invitation-withdraw-5");
  expect(server.lines).toContain("DELETE /api/invitations/5");
});
