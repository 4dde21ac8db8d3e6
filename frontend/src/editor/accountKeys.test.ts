import { afterEach, expect, it, vi } from "vitest";
import { ME } from "../api/samples";
import { me } from "../api/session";
import { FakeServer, UNREACHABLE } from "../api/testing";
import { toasts } from "../parts/Toast";
import { keyBindings } from "../state/keyBindings";
import { commandOf } from "../studio/command";
import { watchKeys } from "./accountKeys";
import { fakeStudio } from "./testing";

let end = () => {};
const changed = { ...ME, key_bindings: { play: ["&"] } };

afterEach(() => {
  end();
  me.value = undefined;
  keyBindings.value = {};
  toasts.value = [];
  vi.unstubAllGlobals();
});

it("a page that was opened at a video has the keys of the account", async () => {
  new FakeServer({ "GET /api/me": changed });
  const { store, commands } = fakeStudio();
  end = watchKeys(store);
  store.connection.value = "live";
  await vi.waitFor(() => expect(commandOf(commands, "play").keys).toEqual(["&"]));
});

it("keys that are changed while the answer of an earlier change is on its way stay", () => {
  me.value = changed;
  const { store } = fakeStudio();
  end = watchKeys(store);
  keyBindings.value = { play: ["%"] };
  me.value = { ...changed };
  expect(keyBindings.value).toEqual({ play: ["%"] });
});

it("an account that could not be loaded is asked for again when the connection is back", async () => {
  new FakeServer({ "GET /api/me": UNREACHABLE });
  const { store } = fakeStudio();
  end = watchKeys(store);
  store.connection.value = "live";
  await vi.waitFor(() => expect(toasts.value).toHaveLength(1));
  new FakeServer({ "GET /api/me": changed });
  store.connection.value = "lost";
  store.connection.value = "live";
  await vi.waitFor(() => expect(keyBindings.value).toEqual({ play: ["&"] }));
});
