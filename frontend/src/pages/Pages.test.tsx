import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CARD, ME, PROJECT } from "../api/samples";
import { me } from "../api/session";
import { FakeServer, Refusal, UNREACHABLE } from "../api/testing";
import type { Role } from "../api/types";
import { toasts } from "../parts/Toast";
import { click, fire, get, hide, press, query, settled, show, type } from "../parts/testing";
import { parse, route } from "../route";
import Pages from "./Pages";
import SignIn from "./SignIn";
import { CARDS, cards, open, openProject } from "./testing";

/** Lets so many ms pass on the faked clock, in steps small enough that the page is drawn in between. */
async function pass(ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 50)
    await act(async () => {
      await vi.advanceTimersByTimeAsync(50);
    });
}

beforeEach(() => {
  me.value = undefined;
  toasts.value = [];
});
afterEach(() => {
  hide();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("signing in", () => {
  test("is what one sees who is signed out, and says what was wrong", async () => {
    await open("/", { "GET /api/me": new Refusal(401, { code: "signed_out", text: "Sign in first." }) });
    expect(me.value).toBeNull();
    const server = new FakeServer({
      "POST /api/sign-in": new Refusal(400, { code: "sign_in_failed", text: "They do not fit together." }),
    });
    await show(<SignIn />);
    await type("sign-in-username", " ada ");
    await type("sign-in-password", "wrong");
    await fire("sign-in", new SubmitEvent("submit", { cancelable: true }));
    expect(server.body("POST /api/sign-in")).toEqual({ username: "ada", password: "wrong", code: "" });
    expect(get("sign-in-problem").textContent).toBe("They do not fit together.");
    expect(get<HTMLInputElement>("sign-in-password").value).toBe("");
    server.answers["POST /api/sign-in"] = ME;
    await type("sign-in-password", "right");
    await fire("sign-in", new SubmitEvent("submit", { cancelable: true }));
    expect(me.value).toEqual(ME);
  });

  test("asks for the code of who has a second factor, and keeps the password", async () => {
    const server = new FakeServer({
      "GET /api/sign-in": { providers: [{ name: "Login of the lab", address: "/sign-in/oidc/" }] },
      "POST /api/sign-in": new Refusal(400, { code: "code_needed", text: "Enter the six digits." }),
    });
    me.value = null;
    history.replaceState(null, "", "/projects/3");
    await show(<SignIn />);
    await act(settled);
    expect(get("sign-in-provider").textContent).toBe("Login of the lab");
    expect(get("sign-in-provider").getAttribute("href")).toBe("/sign-in/oidc/?next=%2Fprojects%2F3");
    await type("sign-in-username", "ada");
    await type("sign-in-password", "right");
    expect(query("sign-in-code")).toBeNull();
    await fire("sign-in", new SubmitEvent("submit", { cancelable: true }));
    expect(query("sign-in-problem")).toBeNull();
    server.answers["POST /api/sign-in"] = new Refusal(400, { code: "wrong_code", text: "Not right." });
    await type("sign-in-code", "000000");
    await fire("sign-in", new SubmitEvent("submit", { cancelable: true }));
    expect(get("sign-in-problem").textContent).toBe("Not right.");
    expect(get<HTMLInputElement>("sign-in-password").value).toBe("right");
    server.answers["POST /api/sign-in"] = ME;
    await type("sign-in-code", "123456");
    await fire("sign-in", new SubmitEvent("submit", { cancelable: true }));
    expect(server.body("POST /api/sign-in")).toEqual({ username: "ada", password: "right", code: "123456" });
    expect(me.value).toEqual(ME);
  });

  test("leads to a second factor and nowhere else where the site demands one", async () => {
    const server = await open("/", {
      "GET /api/me": { ...ME, second_factor_missing: true },
      "GET /api/me/second-factor": { on: false, demanded: true, codes_left: 0 },
      "POST /api/me/second-factor": { secret: "ABCDEFGH", address: "otpauth://totp/x", picture: "data:," },
      "POST /api/me/second-factor/confirm": { recovery_codes: ["aaaa-bbbb", "cccc-dddd"] },
    });
    expect(query("projects")).toBeNull();
    await type("second-factor-password", "right");
    await click("second-factor-begin");
    await act(settled);
    expect(get("second-factor-key").textContent).toBe("ABCD EFGH");
    await type("second-factor-code", "123456");
    await click("second-factor-confirm");
    await act(settled);
    expect(get("second-factor-codes").textContent).toBe("aaaa-bbbb\ncccc-dddd");
    get("second-factor").dispatchEvent(new PointerEvent("pointerdown")); // on the backdrop
    get("second-factor").dispatchEvent(new Event("cancel", { cancelable: true }));
    await press("Escape", get("second-factor"));
    expect(get("second-factor-codes").textContent).toContain("aaaa-bbbb");
    server.answers["GET /api/me"] = ME;
    await click("second-factor-close"); // ends it as the button does, and does not sign out
    expect(server.lines).not.toContain("POST /api/sign-out");
    for (let turn = 0; turn < 3; turn += 1) await act(settled);
    expect(query("second-factor")).toBeNull();
    expect(get("projects")).toBeTruthy();
  });

  test("ends by the account menu; the admin is for superusers", async () => {
    await open("/", { "POST /api/sign-out": null });
    await click("account");
    expect(query("account-admin")).toBeNull();
    await click("account-sign-out");
    expect(me.value).toBeNull();
    await open("/", { "GET /api/me": { ...ME, is_superuser: true } });
    await click("account");
    expect(get<HTMLAnchorElement>("account-admin").getAttribute("href")).toBe("/admin/");
  });
});

describe("the list of projects", () => {
  test("says so when there is none, and makes one", async () => {
    const server = await open("/", { "GET /api/projects": [], "POST /api/projects": PROJECT });
    expect(get("projects-empty").textContent).toContain("No projects yet");
    await click("project-new");
    expect(get<HTMLButtonElement>("new-project-create").disabled).toBe(true);
    await type("new-project-name", " Sports reel ");
    get("new-project").querySelector("form")?.requestSubmit();
    await act(settled);
    expect(server.body("POST /api/projects")).toEqual({ name: "Sports reel", guide: "" });
    expect(route.value).toEqual({ page: "project", project: 3, tab: "videos" });
  });

  test("comes back by a click after the connection was lost", async () => {
    const server = await open("/", { "GET /api/projects": UNREACHABLE });
    expect(get("state-offline").textContent).toContain("cannot be reached");
    server.answers["GET /api/projects"] = [PROJECT];
    await click("retry");
    expect(get("project-open-3").textContent).toBe("Sports reel");
  });

  test("shows a failure of the server with its sentence", async () => {
    await open("/", { "GET /api/projects": new Refusal(500, { code: "failed", text: "The disk is full." }) });
    expect(get("state-failed").textContent).toContain("The disk is full.");
  });
});

describe("whoever came by a link", () => {
  test("is told to choose a password, and is not any more when there is one", async () => {
    const server = await open("/", { "GET /api/me": { ...ME, has_password: false }, "PATCH /api/me": ME });
    await click("password-choose");
    expect(query("account-current")).toBeNull();
    await type("account-password", "correct horse battery");
    get("account-dialog").querySelector("form")?.requestSubmit();
    await act(settled);
    expect(server.body("PATCH /api/me")).toMatchObject({ password: "correct horse battery" });
    expect(query("password-notice")).toBeNull();
    expect(query("account-dialog")).toBeNull();
  });

  test("is not told so if their organisation signs them in", async () => {
    await open("/", { "GET /api/me": { ...ME, has_password: false, signs_in_outside: true } });
    expect(query("password-notice")).toBeNull();
  });
});

describe("a project", () => {
  test("of others is not found", async () => {
    const text = "This project does not exist, or you are not a member of it.";
    await open("/projects/3", { "GET /api/projects/3": new Refusal(404, { code: "not_found", text }) });
    expect(get("state-missing").textContent).toContain(text);
  });

  test.each<[Role, string[]]>([
    ["viewer", []],
    ["annotator", ["videos-add"]],
    ["reviewer", ["videos-add"]],
    ["manager", ["videos-add", "tab-settings"]],
    ["owner", ["videos-add", "tab-settings"]],
  ])("shows a %s only what they may do", async (role, controls) => {
    await openProject(role);
    expect(["videos-add", "tab-settings"].filter((id) => query(id))).toEqual(controls);
    expect(get("video-open-7").getAttribute("href")).toBe("/videos/7");
  });

  test.each<[Role, string[]]>([
    ["annotator", ["video-rename"]],
    ["manager", ["video-rename", "video-jobs", "video-delete"]],
  ])("offers a %s on a video %s", async (role, items) => {
    await openProject(role);
    await click("video-menu-7");
    expect(
      [...document.querySelectorAll<HTMLElement>("[role=menuitem]")].map((item) => item.dataset.testid),
    ).toEqual(items);
  });

  test("has no menu for a viewer", async () => {
    await openProject("viewer");
    expect(query("video-menu-7")).toBeNull();
  });

  test("tells of a video its length, size, rounds, who worked last and what is to be fixed, and shows its masks", async () => {
    const cover = "/api/videos/7/cover.jpg?v=3";
    await openProject("viewer", { [CARDS]: cards({ ...CARD, to_fix: 14, cover }) });
    const text = get("video-7").textContent;
    expect(get("video-7").querySelector("img")?.getAttribute("src")).toBe(cover);
    expect(get("video-fix-7").textContent).toBe("14 to fix");
    for (const part of ["80 frames · 3.3 s", "854×480 · 24 fps · 12.0 MB", "3 rounds · Ada"])
      expect(text).toContain(part);
  });

  test("shows an import that runs, and cancels it", async () => {
    const importing = { ...CARD, state: "importing", progress_done: 40, frame_count: 0, width: 0 };
    const server = await openProject("annotator", {
      [CARDS]: cards(importing),
      "POST /api/videos/7/cancel-import": importing,
    });
    expect(get("video-import-7").textContent).toBe("Importing: 40 of about 80 frames");
    expect(get("video-progress-7").getAttribute("aria-valuenow")).toBe("50");
    await click("video-cancel-7");
    expect(server.lines).toContain("POST /api/videos/7/cancel-import");
    hide(); // ends the polling
  });

  test("asks again while something is imported, until it is there", async () => {
    vi.useFakeTimers();
    const importing = { ...CARD, state: "importing" };
    const server = new FakeServer({
      "GET /api/me": ME,
      "GET /api/projects/3": PROJECT,
      [CARDS]: cards(importing),
    });
    await show(<Pages at={parse("/projects/3")} />);
    await pass(100);
    const count = () => server.lines.filter((line) => line === CARDS).length;
    const before = count();
    await pass(3100);
    expect(count() - before).toBeGreaterThanOrEqual(2);
    server.answers[CARDS] = cards(CARD);
    await pass(1100);
    expect(get("video-7").dataset.state).toBe("ready");
    const after = count();
    await pass(5000);
    expect(count()).toBe(after);
  });

  test("shows why an import failed and removes it without a question", async () => {
    const failed = { ...CARD, state: "failed", error: "No frame can be decoded." };
    const server = await openProject("annotator", {
      [CARDS]: cards(failed),
      "DELETE /api/videos/7": null,
    });
    expect(get("video-error-7").textContent).toContain("No frame can be decoded.");
    await click("video-remove-7");
    expect(server.lines).toContain("DELETE /api/videos/7");
    expect(query("video-7")).toBeNull();
  });

  test("asks before it deletes a video that somebody has worked on", async () => {
    const server = await openProject("manager", { "DELETE /api/videos/7": null });
    await click("video-menu-7");
    await click("video-delete");
    expect(get("confirm").textContent).toContain("trash");
    await click("confirm-no");
    expect(server.lines).not.toContain("DELETE /api/videos/7");
    expect(query("video-7")).not.toBeNull();
  });

  test("is a table where the address says so, and acts on what is selected", async () => {
    const server = await openProject(
      "manager",
      {
        [CARDS]: cards(CARD, { ...CARD, id: 8, name: "dive" }),
        "POST /api/projects/3/videos/actions": { changed: 1 },
      },
      "?view=table",
    );
    expect(get("videos").tagName).toBe("TABLE");
    await click("videos-select-all");
    expect(get("selection-count").textContent).toBe("2 selected");
    await click("video-select-8");
    await click("selection-delete");
    await click("confirm-yes");
    expect(server.body("POST /api/projects/3/videos/actions")).toEqual({ action: "delete", ids: [7] });
    expect(query("video-7")).toBeNull();
    expect(query("selection-bar")).toBeNull();
  });

  test("keeps what it shows when the connection is lost, and says that it may be old", async () => {
    const server = await openProject("viewer");
    server.answers[CARDS] = UNREACHABLE;
    await act(async () => {
      dispatchEvent(new Event("focus"));
      await settled();
    });
    expect(get("stale").textContent).toContain("may be old");
    expect(query("video-7")).not.toBeNull();
  });
});

describe("members", () => {
  test("are invited by user name; a refusal stands at the field", async () => {
    const server = await openProject("manager", {}, "/members");
    server.answers["POST /api/projects/3/members"] = new Refusal(400, {
      code: "unknown_user",
      text: "No such user.",
    });
    await type("invite-username", "cy");
    await fire("invite", new SubmitEvent("submit", { cancelable: true }));
    expect(get("invite-username-error").textContent).toBe("No such user.");
    const member = { user: { id: 9, username: "cy", name: "Cy" }, role: "annotator" };
    server.answers["POST /api/projects/3/members"] = member;
    await fire("invite", new SubmitEvent("submit", { cancelable: true }));
    expect(server.body("POST /api/projects/3/members")).toEqual({ username: "cy", role: "annotator" });
    expect(get("member-cy").textContent).toContain("Cy");
  });

  test("of a project cannot be changed by an annotator, who may leave", async () => {
    await openProject("annotator", {}, "/members");
    expect(query("invite")).toBeNull();
    expect(query("member-role-bo")).toBeNull();
    expect(query("member-remove-bo")).toBeNull();
    expect(query("member-remove-ada")).not.toBeNull();
  });

  test("get another role, and the old one back on the page when the server refuses", async () => {
    const text = "A project needs an owner.";
    const server = await openProject("owner", {}, "/members");
    server.answers["PATCH /api/projects/3/members/1"] = new Refusal(409, { code: "last_owner", text });
    const select = get<HTMLSelectElement>("member-role-ada");
    select.value = "viewer";
    await fire("member-role-ada", new Event("change", { bubbles: true }));
    await act(settled);
    expect(toasts.value.at(-1)?.text).toBe(text);
    expect(get<HTMLSelectElement>("member-role-ada").value).toBe("owner");
  });
});

describe("settings", () => {
  test("of a project are not for annotators, whatever the address", async () => {
    await openProject("annotator", {}, "/settings");
    expect(query("state-forbidden")).not.toBeNull();
    expect(query("project-delete")).toBeNull();
  });

  test("let an owner delete it after typing its name", async () => {
    const engine = {
      name: "flow",
      title: "Flow",
      good_at: "",
      needs_weights: false,
      published: false,
      weights: "",
      size_bytes: 0,
      shipped: false,
      hint: "",
    };
    const engines = [{ ...engine, ready: true, default: true }];
    const server = await openProject(
      "owner",
      { "GET /api/engines": engines, "DELETE /api/projects/3": null },
      "/settings",
    );
    expect(get("settings-engine").textContent).toContain("Default (now Flow)");
    await click("project-delete");
    await type("confirm-typed", "Sports reel");
    get("confirm").querySelector("form")?.requestSubmit();
    await act(settled);
    await act(settled);
    expect(server.lines).toContain("DELETE /api/projects/3");
    expect(location.pathname).toBe("/");
  });
});
