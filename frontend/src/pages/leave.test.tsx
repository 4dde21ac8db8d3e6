import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ME, PROJECT, VIDEO } from "../api/samples";
import { me } from "../api/session";
import { FakeServer } from "../api/testing";
import { Confirms } from "../parts/Confirm";
import { click, get, hide, query, settled, show, type } from "../parts/testing";
import { follow, parse, route } from "../route";
import { forgetDrafts } from "./draft";
import Pages from "./Pages";

follow();

function App() {
  return (
    <>
      <Pages at={route.value} />
      <Confirms />
    </>
  );
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await act(settled);
}

async function open(): Promise<FakeServer> {
  const server = new FakeServer({
    "GET /api/me": ME,
    "GET /api/projects": [PROJECT],
    "GET /api/projects/3": PROJECT,
    "GET /api/projects/3/videos": [VIDEO],
  });
  history.replaceState(null, "", "/projects/3/guide");
  route.value = parse(location.pathname);
  await show(<App />);
  await turns();
  return server;
}

const guide = () => get<HTMLTextAreaElement>("guide").value;
const unload = () => !dispatchEvent(new Event("beforeunload", { cancelable: true }));

beforeEach(() => {
  me.value = undefined;
});
afterEach(() => {
  hide();
  forgetDrafts();
  vi.unstubAllGlobals();
});

test("what is typed for the guide is there after a look at another tab", async () => {
  await open();
  await type("guide", "Hair too.");
  await click("tab-videos");
  await turns();
  expect(query("confirm")).toBeNull();
  expect(query("guide")).toBeNull();
  expect(get("tab-guide").textContent).toContain("not saved");
  await click("tab-guide");
  expect(guide()).toBe("Hair too.");
  await click("guide-revert");
  expect(guide()).toBe(PROJECT.guide);
  expect(get("tab-guide").textContent).not.toContain("not saved");
});

test("a link that leaves the project asks first, and so does a reload", async () => {
  await open();
  expect(unload()).toBe(false);
  await type("guide", "Hair too.");
  expect(unload()).toBe(true);
  await click("home");
  await turns();
  expect(location.pathname).toBe("/projects/3/guide");
  await click("confirm-no");
  expect(guide()).toBe("Hair too.");
  await click("home");
  await click("confirm-yes");
  await turns();
  expect(location.pathname).toBe("/");
  expect(unload()).toBe(false);
  await open();
  expect(guide()).toBe(PROJECT.guide);
});

test("the browser's Back out of the project asks first", async () => {
  await open();
  await type("guide", "Hair too.");
  history.replaceState(null, "", "/");
  await act(async () => {
    dispatchEvent(new PopStateEvent("popstate"));
    await settled();
  });
  expect(location.pathname).toBe("/projects/3/guide");
  expect(guide()).toBe("Hair too.");
  await click("confirm-yes");
  await turns();
  expect(location.pathname).toBe("/");
});

test("whoever is signed out meanwhile finds the text after signing in again, another person does not", async () => {
  await open();
  await type("guide", "Hair too.");
  hide();
  me.value = null;
  const server = await open();
  expect(guide()).toBe("Hair too.");
  hide();
  server.answers["GET /api/me"] = { ...ME, id: 2 };
  me.value = undefined;
  await show(<App />);
  await turns();
  expect(guide()).toBe(PROJECT.guide);
});
