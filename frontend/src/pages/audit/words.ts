/** Says in words what an entry of the audit log tells. */
import type { AuditEntry } from "../../api/types";
import { placeName } from "../../jobs/words";

const VERBS: Record<string, string> = {
  add: "added",
  accept: "accepted",
  archive: "archived",
  assign: "assigned",
  change: "changed",
  copy: "copied",
  create: "created",
  cut: "cut",
  deactivate: "deactivated",
  delete: "deleted",
  make: "made",
  move: "moved",
  purge: "removed for good",
  reject: "rejected",
  remove: "removed",
  rename: "renamed",
  reopen: "reopened",
  restore: "restored",
  retract: "took back the review of",
  role: "changed the role of",
  start: "began",
  submit: "submitted",
};

const WHOLE: Record<string, string> = {
  sign_in: "signed in",
  sign_out: "signed out",
  sign_in_failed: "Sign-in failed for",
  "second_factor.on": "turned on the second factor of",
  "second_factor.off": "turned off the second factor of",
  "second_factor.codes": "made new recovery codes for",
  "second_factor.wrong": "Wrong code of the second factor for",
};

const THINGS: Record<string, string> = { user: "" };

/** Returns "deleted the video koi pond". An action that has no words here stands as the server calls it. */
export function sentenceOf({
  action,
  kind,
  thing_name,
}: Pick<AuditEntry, "action" | "kind" | "thing_name">): string {
  const whole = WHOLE[action];
  if (whole) return /^sign_(in|out)$/.test(action) ? whole : `${whole} ${thing_name}`;
  const verb = VERBS[action.slice(action.indexOf(".") + 1)];
  if (!verb) return `${action} ${thing_name}`.trim();
  const noun = THINGS[kind] ?? `the ${kind}`;
  return [verb, noun, thing_name].filter(Boolean).join(" ");
}

/** Returns the details of an entry, each as "name: value"; two values are the one before and the one after. */
export function detailsOf({ before, after, ...details }: Record<string, unknown>): string {
  const places = [placeName(before), placeName(after)];
  const rest = places.every(Boolean) ? details : { before, after, ...details };
  const moved = places.every(Boolean) && before !== after ? [places.join(" → ")] : [];
  const said = Object.entries(rest).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const shown =
      Array.isArray(value) && value.length === 2 ? `${text(value[0])} → ${text(value[1])}` : text(value);
    return [`${name.replaceAll("_", " ")}: ${shown}`];
  });
  return [...moved, ...said].join(" · ");
}

function text(value: unknown): string {
  if (value === null || value === "") return "none";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** The kinds of actions that the filter offers: what stands before the dot. */
export const KINDS: Record<string, string> = {
  "": "Everything",
  member: "Members",
  project: "Project",
  video: "Videos",
  job: "Jobs",
  export: "Exports",
  label: "Labels",
};
