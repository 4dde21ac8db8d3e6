import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { PROJECT } from "../api/samples";
import { me } from "../api/session";
import { Refusal } from "../api/testing";
import { toasts } from "../parts/Toast";
import { click, fire, get, hide, query, settled, type } from "../parts/testing";
import { openProject } from "./testing";

beforeEach(() => {
  me.value = undefined;
  toasts.value = [];
});
afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

describe("guide and labels", () => {
  test("are read by annotators", async () => {
    await openProject("annotator", {}, "/guide");
    expect(get("guide-text").textContent).toBe("Cut out the rider.");
    expect(get("labels").textContent).toContain("Rider");
    expect(query("guide-save")).toBeNull();
  });

  test("are written by managers; a new label takes a colour of its own", async () => {
    const server = await openProject("manager", {}, "/guide");
    expect(get<HTMLButtonElement>("labels-save").disabled).toBe(true);
    await click("label-add");
    await type("label-name-1", "Bike");
    const labels = [...PROJECT.labels, { name: "Bike", color: "#2ec4b6" }];
    server.answers["PATCH /api/projects/3"] = { ...PROJECT, role: "manager", labels };
    await click("labels-save");
    expect(server.body("PATCH /api/projects/3")).toEqual({ labels, labels_before: PROJECT.labels });
    expect(get<HTMLButtonElement>("labels-save").disabled).toBe(true);
  });
});

describe("a label that objects have", () => {
  test("is deleted after it was said which label they get", async () => {
    const labels = [...PROJECT.labels, { id: 2, name: "Bike", color: "#2ec4b6" }];
    const server = await openProject(
      "manager",
      { "GET /api/projects/3": { ...PROJECT, role: "manager", labels } },
      "/guide",
    );
    server.answers["PATCH /api/projects/3"] = new Refusal(409, {
      code: "label_in_use",
      text: "Say which label they get.",
      in_use: [{ id: 1, name: "Rider", objects: 4 }],
    });
    await click("label-remove-0");
    await click("labels-save");
    expect(get("labels-in-use").textContent).toContain("The 4 objects of Rider get");
    const select = get<HTMLSelectElement>("labels-in-use-1");
    expect([...select.options].map(({ text }) => text)).toEqual(["No label", "Bike"]);
    select.value = "2";
    await fire("labels-in-use-1", new Event("change", { bubbles: true }));
    server.answers["PATCH /api/projects/3"] = { ...PROJECT, role: "manager", labels: labels.slice(1) };
    get("labels-in-use").querySelector("form")?.requestSubmit();
    await act(settled);
    expect(server.body("PATCH /api/projects/3")).toEqual({
      labels: labels.slice(1),
      labels_before: labels,
      labels_to: [{ label: 1, to: 2 }],
    });
    expect(query("labels-in-use")).toBeNull();
    expect(get<HTMLButtonElement>("labels-save").disabled).toBe(true);
  });
});

describe("two managers at the guide", () => {
  test("lose nothing: what is typed stays, and Revert shows what the other saved", async () => {
    const server = await openProject("manager", {}, "/guide");
    await type("guide", "Mine.");
    const theirs = { ...PROJECT, role: "manager", guide: "Theirs." };
    server.answers["GET /api/projects/3"] = theirs;
    server.answers["PATCH /api/projects/3"] = new Refusal(409, {
      code: "changed_meanwhile",
      text: "Somebody else saved the guide meanwhile.",
    });
    await click("guide-save");
    await act(settled);
    expect(get<HTMLTextAreaElement>("guide").value).toBe("Mine.");
    expect(server.body("PATCH /api/projects/3")).toEqual({ guide: "Mine.", guide_before: PROJECT.guide });
    await click("guide-revert");
    expect(get<HTMLTextAreaElement>("guide").value).toBe("Theirs.");
  });
});
