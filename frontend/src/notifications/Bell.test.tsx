import { act } from "preact/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import { FakeServer } from "../api/testing";
import { click, get, hide, query, settled, show } from "../parts/testing";
import { Bell } from "./Bell";

const LIST = "GET /api/me/notifications?limit=15";
const ONE = {
  id: 5,
  kind: "sent_back",
  text: "Rita sent koi back.",
  link: "/videos/7",
  project: 3,
  read: false,
};

afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

test("the bell counts what was not read, and a click on it goes there and reads it", async () => {
  const at = new Date().toISOString();
  const server = new FakeServer({
    [LIST]: { notifications: [{ ...ONE, at }], unread: 1, next: null },
    "POST /api/me/notifications/read": { unread: 0 },
  });
  await show(<Bell />);
  await act(settled);
  expect(get("notifications-unread").textContent).toBe("1");
  await click("notifications");
  server.answers[LIST] = { notifications: [{ ...ONE, at, read: true }], unread: 0, next: null };
  await click("notification-5");
  expect(server.body("POST /api/me/notifications/read")).toEqual({ ids: [5] });
  expect(location.pathname).toBe("/videos/7");
  await act(settled);
  expect(query("notifications-unread")).toBeNull();
});

test("an empty list says what will stand there", async () => {
  new FakeServer({ [LIST]: { notifications: [], unread: 0, next: null } });
  await show(<Bell />);
  await act(settled);
  await click("notifications");
  expect(get("notifications-empty").textContent).toContain("Nothing yet");
});
