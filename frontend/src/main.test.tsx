import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test, vi } from "vitest";
import { ME } from "./api/samples";
import { me } from "./api/session";
import { FakeServer } from "./api/testing";
import { query, settled } from "./parts/testing";

const app = Object.assign(document.createElement("div"), { id: "app" });

afterEach(() => {
  render(null, app);
  vi.unstubAllGlobals();
});

test("whoever lacks the second factor that the site demands sets it up at the address of a video, too", async () => {
  const missing = { ...ME, second_factor_missing: true };
  const server = new FakeServer({
    "GET /api/me": missing,
    "GET /api/me/second-factor": { on: false, demanded: true, codes_left: 0 },
  });
  history.replaceState(null, "", "/videos/7");
  document.body.append(app);
  me.value = missing;
  await import("./main");
  await vi.waitFor(async () => {
    await act(settled);
    expect(query("second-factor")).not.toBeNull();
  }, 20_000);
  expect(query("sign-in")).toBeNull();
  expect(server.lines.filter((line) => line.includes("/videos/"))).toEqual([]);
}, 30_000);
