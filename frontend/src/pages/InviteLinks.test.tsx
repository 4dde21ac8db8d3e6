import { afterEach, expect, it, vi } from "vitest";
import { PROJECT } from "../api/samples";
import { FakeServer, Refusal } from "../api/testing";
import { fire, get, hide, show, type } from "../parts/testing";
import { InviteLinks } from "./InviteLinks";

const CALL = "POST /api/projects/3/invitations";

afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

it("shows the link of an invitation, and what is wrong with a mail address", async () => {
  const server = new FakeServer({
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
