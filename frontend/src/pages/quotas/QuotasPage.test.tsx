import { act } from "preact/test-utils";
import { afterEach, expect, it, vi } from "vitest";
import { FakeServer, Refusal } from "../../api/testing";
import { click, fire, get, hide, query, settled, show, type } from "../../parts/testing";
import { limitsOf } from "./LimitsForm";
import { limitsText, QuotasPage } from "./QuotasPage";

const NONE = { frames: null, bytes: null, engine_seconds: null };
const OWN = { scope: "person", id: 7, name: "Ann", frames: 1000, bytes: 2e9, engine_seconds: 1800 };

afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

it("reads gigabytes and minutes as bytes and seconds, and refuses what is no number", () => {
  expect(limitsOf({ frames: " 10 ", bytes: "1.5", engine_seconds: "" })).toEqual({
    frames: 10,
    bytes: 1.5e9,
    engine_seconds: null,
  });
  expect(limitsOf({ frames: "-1", bytes: "", engine_seconds: "" })).toBeNull();
  expect(limitsOf({ frames: "many", bytes: "", engine_seconds: "" })).toBeNull();
  expect(limitsText(OWN)).toBe("1,000 frames · 2.0 GB · 30 min of workers a day");
  expect(limitsText(NONE)).toBe("no limit");
});

it("sets the limits of each project and of one person, and removes them", async () => {
  const server = new FakeServer({
    "GET /api/quotas": { each_project: NONE, each_person: NONE, own: [] },
    "PUT /api/quotas/project": { each_project: { ...NONE, frames: 9 }, each_person: NONE, own: [] },
    "GET /api/quotas/person/targets?text=an": [{ id: 7, name: "Ann", username: "ann" }],
    "PUT /api/quotas/person/7": { each_project: NONE, each_person: NONE, own: [OWN] },
    "DELETE /api/quotas/person/7": { each_project: NONE, each_person: NONE, own: [] },
  });
  await show(<QuotasPage />);
  await act(settled);
  expect(get("quotas-none").textContent).toContain("No project and no person");
  await type("quota-each-project-frames", "9");
  await fire("quota-each-project", new SubmitEvent("submit", { cancelable: true }));
  expect(server.body("PUT /api/quotas/project")).toEqual({ ...NONE, frames: 9 });
  get<HTMLSelectElement>("quota-scope").value = "person";
  await fire("quota-scope", new Event("change", { bubbles: true }));
  await type("quota-search", "an");
  for (let turn = 0; turn < 3; turn += 1) await act(settled);
  await click("quota-choose-7");
  await type("quota-own-engine_seconds", "30");
  await fire("quota-own", new SubmitEvent("submit", { cancelable: true }));
  expect(server.body("PUT /api/quotas/person/7")).toEqual({ ...NONE, engine_seconds: 1800 });
  expect(query("quota-dialog")).toBeNull();
  await click("quota-person-7-drop");
  expect(query("quota-person-7")).toBeNull();
});

it("exempts one project from the limits of each project", async () => {
  const each = { ...NONE, frames: 9 };
  const exempt = { ...NONE, scope: "project", id: 3, name: "Reef" };
  const server = new FakeServer({
    "GET /api/quotas": { each_project: each, each_person: NONE, own: [] },
    "GET /api/quotas/project/targets?text=re": [{ id: 3, name: "Reef", username: "" }],
    "PUT /api/quotas/project/3": { each_project: each, each_person: NONE, own: [exempt] },
  });
  await show(<QuotasPage />);
  await act(settled);
  await type("quota-search", "re");
  for (let turn = 0; turn < 3; turn += 1) await act(settled);
  await click("quota-choose-3");
  expect(get("quota-dialog").textContent).toContain("Left empty, Reef has no limit at all.");
  await fire("quota-own", new SubmitEvent("submit", { cancelable: true }));
  expect(server.body("PUT /api/quotas/project/3")).toEqual(NONE);
  expect(get("quota-project-3").textContent).toContain("no limit");
  await click("quota-project-3-edit");
  expect(get<HTMLButtonElement>("quota-own-save").disabled).toBe(true); // Nothing differs from what is stored.
});

it("says that quotas are for administrators", async () => {
  new FakeServer({
    "GET /api/quotas": new Refusal(403, { code: "forbidden", text: "Only administrators." }),
  });
  await show(<QuotasPage />);
  await act(settled);
  expect(get("state-forbidden").textContent).toContain("Only administrators.");
});
