import { act } from "preact/test-utils";
import { afterEach, expect, it, vi } from "vitest";

import { PROJECT } from "../../api/samples";
import { FakeServer, Refusal } from "../../api/testing";
import { click, fire, get, hide, query, settled, show, type } from "../../parts/testing";
import { ProjectTeams } from "./ProjectTeams";
import { changesOf } from "./TeamDialog";
import { peopleOf, TeamsPage } from "./TeamsPage";

const PEOPLE = Array.from({ length: 10 }, (_, id) => ({ id, username: `p${id}`, name: `P${id}` }));
const TEAM = { id: 4, name: "Night shift", members: PEOPLE.slice(0, 2), created_by: "Ann", may_change: true };

/** Chooses the option with this text in a select box. */
async function choose(testid: string, value: string): Promise<void> {
  get<HTMLSelectElement>(testid).value = value;
  await fire(testid, new Event("change", { bubbles: true }));
}

afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

it("names the people of a team, and of a large one how many more there are", () => {
  expect(peopleOf(TEAM)).toBe("P0, P1");
  expect(peopleOf({ ...TEAM, members: PEOPLE })).toBe("P0, P1, P2, P3, P4, P5, P6, P7 and 2 more");
  expect(peopleOf({ ...TEAM, members: [] })).toBe("nobody yet");
});

it("sends only what was changed of a team", () => {
  const members = TEAM.members.map(({ username }) => username);
  expect(changesOf(TEAM, { name: "Day shift", members })).toEqual({ name: "Day shift" });
  expect(changesOf(TEAM, { name: "Night shift ", members: ["p1"] })).toEqual({ members: ["p1"] });
  expect(changesOf(TEAM, { name: "Night shift", members: [...members].reverse() })).toEqual({});
});

it("makes a team of those whose user names are typed, and shows why one is refused", async () => {
  const refusal = new Refusal(400, {
    code: "unknown_user",
    text: "There is no user called x.",
    field: "members",
  });
  const server = new FakeServer({ "GET /api/teams": [], "POST /api/teams": refusal });
  await show(<TeamsPage />);
  await act(settled);
  expect(get("teams-none").textContent).toContain("No teams yet");
  await click("team-new");
  await type("team-name", "Night shift");
  await type("team-add", "ann, bob");
  await click("team-add-yes");
  await click("team-remove-ann");
  await type("team-add", "x");
  await click("team-save");
  expect(server.body("POST /api/teams")).toEqual({ name: "Night shift", members: ["bob", "x"] });
  expect(get("team-problem").textContent).toBe("There is no user called x.");
  server.answers["POST /api/teams"] = TEAM;
  server.answers["GET /api/teams"] = [TEAM, { ...TEAM, id: 5, may_change: false }];
  await click("team-save");
  expect(query("team-dialog")).toBeNull();
  expect(get("team-4").textContent).toContain("2 people: P0, P1");
  expect(query("team-5-edit")).toBeNull();
});

it("invites a team, and again those who joined it since", async () => {
  const call = "POST /api/projects/3/teams";
  const members = [{ user: PEOPLE[0] as (typeof PEOPLE)[0], role: "annotator" as const }];
  const server = new FakeServer({
    "GET /api/teams": [TEAM],
    "GET /api/projects/3/teams": [],
    [call]: members,
  });
  const invited = vi.fn();
  const project = { ...PROJECT, role: "owner" as const };
  await show(<ProjectTeams project={project} members={members} onInvited={invited} />);
  await act(settled);
  await choose("team-choice", "4");
  server.answers["GET /api/projects/3/teams"] = [TEAM];
  await click("team-invite");
  expect(server.body(call)).toEqual({ team: 4, role: "annotator" });
  expect(invited).toHaveBeenCalledWith(members);
  expect(get("project-team-4-again").textContent).toBe("Invite 1 more as annotator");
});
