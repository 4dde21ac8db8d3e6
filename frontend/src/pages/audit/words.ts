/** Says in words what an entry of the audit log tells. */
import type { AuditEntry } from "../../api/types";
import { placeName } from "../../jobs/words";

const VERBS: Record<string, string> = {
  add: "added",
  accept: "accepted",
  archive: "archived",
  agree: "compared the copies of",
  assign: "assigned",
  cancel: "cancelled",
  change: "changed",
  connect: "connected an outside account to",
  consensus: "gave copies to several people of",
  copy: "copied",
  create: "created",
  cut: "cut",
  deactivate: "deactivated",
  delete: "deleted",
  drain: "drained",
  hold: "had the check send back",
  import: "imported",
  invite: "invited",
  make: "made",
  members: "changed the people of",
  merge: "merged the copies of",
  mix_in: "mixed into queues",
  move: "moved",
  pause: "paused",
  purge: "removed for good",
  reject: "rejected",
  remove: "removed",
  rename: "renamed",
  reopen: "reopened",
  restore: "restored",
  resume: "resumed",
  retract: "took back the review of",
  role: "changed the role of",
  sample: "drew for review",
  start: "began",
  submit: "submitted",
  unarchive: "took out of the archive",
  withdraw: "withdrew",
};

const WHOLE: Record<string, string> = {
  sign_in: "signed in",
  sign_out: "signed out",
  sign_in_failed: "Sign-in failed for",
  "second_factor.on": "turned on the second factor of",
  "second_factor.off": "turned off the second factor of",
  "second_factor.codes": "made new recovery codes for",
  "second_factor.wrong": "Wrong code of the second factor for",
  "masks.import": "imported masks into the video",
  "truth.import": "imported ground truth into the video",
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

/** Details whose values are names of which any number stands there. */
const LISTS = new Set(["added", "removed", "members", "events"]);

/** Returns the details of an entry, each as "name: value"; two values are the one before and the one after. */
export function detailsOf({ before, after, ...details }: Record<string, unknown>): string {
  const places = [placeName(before), placeName(after)];
  const rest = places.every(Boolean) ? details : { before, after, ...details };
  const moved = places.every(Boolean) && before !== after ? [places.join(" → ")] : [];
  const said = Object.entries(rest).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const label = name.replaceAll("_", " ");
    if (!Array.isArray(value)) return [`${label}: ${text(value)}`];
    if (LISTS.has(name)) return value.length ? [`${label}: ${value.map(text).join(", ")}`] : [];
    return [`${label}: ${value.length === 2 ? value.map(text).join(" → ") : text(value)}`];
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
  invitation: "Invitations",
  team: "Teams",
  quality: "Quality",
  masks: "Imported masks",
  truth: "Ground truth",
  webhook: "Webhooks",
  quota: "Quotas",
  sign_in: "Sign-ins",
  sign_in_failed: "Failed sign-ins",
  user: "Accounts",
  second_factor: "Second factors",
};
