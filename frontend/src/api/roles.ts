/** What each role may do, so that the page offers nothing that the server would refuse. The server checks again. */
import type { Role } from "./types";

export const ROLES: readonly Role[] = ["viewer", "annotator", "reviewer", "manager", "owner"];

export const MEANING: Record<Role, string> = {
  viewer: "sees videos and masks",
  annotator: "draws, runs rounds, imports, exports",
  reviewer: "also accepts frames and sees ground truth",
  manager: "also members, labels, settings, deletes videos",
  owner: "also deletes the project",
};

const NEEDED = {
  see_project: "viewer",
  upload: "annotator",
  export: "annotator",
  import_masks: "annotator",
  import_truth: "reviewer",
  make_labels: "manager", // the labels of an imported file
  remove_export: "manager", // exports of others
  rename_video: "annotator",
  cancel_import: "annotator",
  clear_failed: "annotator", // videos whose import failed
  delete_video: "manager",
  manage_jobs: "manager", // assign, deal and cut them
  see_numbers: "reviewer", // what work each person did
  see_quality: "reviewer", // thresholds and J&F of jobs, which annotators do not see
  change_project: "manager",
  invite: "manager",
  delete_project: "owner",
} as const satisfies Record<string, Role>;

export type Deed = keyof typeof NEEDED;

function rank(role: Role): number {
  return ROLES.indexOf(role);
}

export function may(role: Role, deed: Deed): boolean {
  return rank(role) >= rank(NEEDED[deed]);
}

/** Returns the roles that somebody with the role `own` may give. */
export function givable(own: Role): Role[] {
  return may(own, "invite") ? ROLES.filter((role) => rank(role) <= rank(own)) : [];
}

/** Whether somebody with the role `own` may change or remove a member with the role `theirs`. */
export function mayTouch(own: Role, theirs: Role): boolean {
  return may(own, "invite") && rank(own) >= rank(theirs);
}
