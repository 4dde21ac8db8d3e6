import { act } from "preact/test-utils";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ME, PROJECT } from "../../api/samples";
import { me } from "../../api/session";
import { FakeServer } from "../../api/testing";
import { click, query as element, fire, get, hide, settled, show, type } from "../../parts/testing";
import { query } from "../../route";
import { SavedViews } from "./SavedViews";

afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

describe("saved views", () => {
  test("are chosen, saved with what is shown now, and deleted by whoever may", async () => {
    me.value = ME;
    const view = {
      id: 4,
      name: "Late",
      query: "due=overdue&order=due",
      shared: true,
      author: "Bo",
      author_id: 2,
    };
    const mine = {
      ...view,
      id: 5,
      name: "Mine",
      query: "assignee=me",
      shared: false,
      author: "Ada",
      author_id: 1,
    };
    const server = new FakeServer({
      "GET /api/projects/3/views": [view, mine],
      "POST /api/projects/3/views": mine,
      "DELETE /api/views/5": null,
    });
    query.value = new URLSearchParams("order=due&due=overdue&by=week");
    await show(<SavedViews project={{ ...PROJECT, role: "annotator" }} />);
    await act(settled);
    expect(get("views").textContent).toBe("Late"); // What is shown is this view, whatever the order.
    await click("views");
    await click("view-5");
    expect(location.pathname + location.search).toBe("/projects/3?assignee=me");

    await click("views");
    await click("views-edit");
    expect(element("view-delete-4")).toBeNull(); // Only managers delete the views that others share.
    expect(element("views-shared")).toBeNull();
    await type("views-name", " Mine ");
    await fire("views-form", new SubmitEvent("submit", { cancelable: true }));
    expect(server.body("POST /api/projects/3/views")).toEqual({
      name: "Mine",
      query: "assignee=me",
      shared: false,
    });
    await click("view-delete-5");
    expect(server.lines).toContain("DELETE /api/views/5");
  });
});
