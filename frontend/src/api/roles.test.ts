import { describe, expect, test } from "vitest";
import { type Deed, givable, may, mayTouch, ROLES } from "./roles";

describe("roles", () => {
  test.each<[Deed, string[]]>([
    ["upload", ["annotator", "reviewer", "manager", "owner"]],
    ["cancel_import", ["annotator", "reviewer", "manager", "owner"]],
    ["rename_video", ["annotator", "reviewer", "manager", "owner"]],
    ["clear_failed", ["annotator", "reviewer", "manager", "owner"]],
    ["delete_video", ["manager", "owner"]],
    ["change_project", ["manager", "owner"]],
    ["invite", ["manager", "owner"]],
    ["delete_project", ["owner"]],
  ])("%s is for %s", (deed, roles) => {
    expect(ROLES.filter((role) => may(role, deed))).toEqual(roles);
  });

  test("nobody gives a role above their own, and only managers give any", () => {
    expect(givable("manager")).toEqual(["viewer", "annotator", "reviewer", "manager"]);
    expect(givable("owner")).toContain("owner");
    expect(givable("reviewer")).toEqual([]);
  });

  test("nobody touches a member who stands above them", () => {
    expect(mayTouch("manager", "owner")).toBe(false);
    expect(mayTouch("manager", "manager")).toBe(true);
    expect(mayTouch("owner", "owner")).toBe(true);
    expect(mayTouch("annotator", "viewer")).toBe(false);
  });
});
