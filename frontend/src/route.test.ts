import { describe, expect, test, vi } from "vitest";
import { go, goOn, parse } from "./route";

describe("an address", () => {
  test.each([
    ["/", { page: "projects" }],
    ["/sign-in", { page: "sign-in" }],
    ["/work", { page: "work" }],
    ["/audit", { page: "audit" }],
    ["/trash", { page: "trash" }],
    ["/teams", { page: "teams" }],
    ["/quotas", { page: "quotas" }],
    ["/projects/3/audit", { page: "project", project: 3, tab: "audit" }],
    ["/projects/3", { page: "project", project: 3, tab: "videos" }],
    ["/projects/3/members", { page: "project", project: 3, tab: "members" }],
    ["/videos/12", { page: "studio", video: 12 }],
    ["/projects/3/nothing", { page: "missing" }],
    ["/projects/0", { page: "missing" }],
    ["/projects/x", { page: "missing" }],
    ["/videos/12/more", { page: "missing" }],
    ["/elsewhere", { page: "missing" }],
  ])("%s names its page", (path, route) => expect(parse(path)).toEqual(route));
});

test("a link to another frame of the page that is open is told as a change of the hash", () => {
  const told = vi.fn();
  addEventListener("hashchange", told);
  go("/videos/12?job=3#frame=7");
  expect(told).not.toHaveBeenCalled(); // The page of the video is only opened.
  go("/videos/12?job=3#frame=9");
  expect(told).toHaveBeenCalledOnce();
  removeEventListener("hashchange", told);
});

test.each([
  ["/projects/3?view=table", "/projects/3?view=table"],
  ["/videos/12?job=3#frame=7", "/videos/12?job=3#frame=7"],
  ["https://elsewhere.example/projects/3", "/"],
  ["//", "/"],
  ["/sign-in?next=/work", "/"],
])("a sign-in on the way to %s leads to %s", (next, there) => {
  go(`/sign-in?next=${encodeURIComponent(next)}`);
  goOn();
  expect(location.pathname + location.search + location.hash).toBe(there);
});
