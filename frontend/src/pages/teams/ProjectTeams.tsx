/** The teams of a project, for its managers: invites one as a whole, and again for those who joined it since. */
import { UserPlus, X } from "lucide-preact";
import { useState } from "preact/hooks";
import { useAttempt } from "../../api/attempt";
import { call, callAll } from "../../api/http";
import { useLoaded } from "../../api/load";
import { givable } from "../../api/roles";
import type { Member, Project, Role, Team } from "../../api/types";
import { plural } from "../../format";
import { Button } from "../../parts/Button";
import { SelectField } from "../../parts/Field";
import { FramedList, RowText } from "../../parts/FramedList";
import { IconButton } from "../../parts/IconButton";
import { toast, toastError } from "../../parts/Toast";
import form from "../Form.module.css";
import { FormProblem } from "../FormProblem";
import { peopleOf } from "./TeamsPage";

export interface ProjectTeamsProps {
  project: Project;
  members: readonly Member[];
  onInvited: (members: Member[]) => void;
}

export function ProjectTeams({ project, members, onInvited }: ProjectTeamsProps) {
  const path = { project_id: project.id };
  const here = useLoaded(`teams ${project.id}`, () => callAll("/api/projects/{project_id}/teams", { path }));
  const own = useLoaded("teams", () => callAll("/api/teams"));
  const [chosen, setChosen] = useState("");
  const [role, setRole] = useState<Role>("annotator");
  const { busy, problem, attempt } = useAttempt();
  const invited = here.value ?? [];
  const known = new Set(members.map(({ user }) => user.id));
  const missing = (team: Team) => team.members.filter(({ id }) => !known.has(id)).length;
  const left = (own.value ?? []).filter(({ id }) => !invited.some((team) => team.id === id));

  const invite = (team: number) =>
    attempt(async () => {
      const added = await call("POST", "/api/projects/{project_id}/teams", { path, body: { team, role } });
      onInvited(added);
      setChosen("");
      toast({
        text: `${plural(added.length, "person is a new member", "people are new members")}, as ${role}.`,
      });
      await here.reload();
    });
  const remove = async ({ id, name }: Team) => {
    try {
      await call("DELETE", "/api/projects/{project_id}/teams/{team_id}", { path: { ...path, team_id: id } });
      toast({ text: `${name} is no team of this project any more. Its people stay members.` });
    } catch (error) {
      toastError(error);
    }
    await here.reload();
  };

  const failed = here.problem ?? own.problem;
  return (
    <div class={form.form} data-testid="project-teams">
      <form
        class={form.row}
        onSubmit={(event) => {
          event.preventDefault();
          invite(Number(chosen));
        }}
      >
        <div class={form.grow}>
          <SelectField
            label="Invite a team"
            testid="team-choice"
            value={chosen}
            options={[
              { value: "", name: left.length ? "Choose a team" : "You have no other team" },
              ...left.map(({ id, name, members: { length } }) => ({
                value: String(id),
                name: `${name} (${length})`,
              })),
            ]}
            onChange={setChosen}
          />
        </div>
        <SelectField
          label="Role"
          testid="team-role"
          value={role}
          options={givable(project.role).map((value) => ({ value, name: value }))}
          onChange={(value) => setRole(value as Role)}
        />
        <Button type="submit" icon={UserPlus} testid="team-invite" busy={busy} disabled={!chosen}>
          Invite
        </Button>
        <a class={form.beside} href="/teams" data-testid="teams-open">
          Your teams
        </a>
      </form>
      <FormProblem testid="team-invite-problem" text={problem || failed?.message} />
      {invited.length > 0 && (
        <FramedList testid="project-team-list" label="Teams of this project">
          {invited.map((team) => (
            <li key={team.id} data-testid={`project-team-${team.id}`}>
              <RowText note={peopleOf(team)}>{team.name}</RowText>
              {missing(team) > 0 && (
                <Button
                  size="small"
                  testid={`project-team-${team.id}-again`}
                  busy={busy}
                  onClick={() => invite(team.id)}
                >
                  {`Invite ${missing(team)} more as ${role}`}
                </Button>
              )}
              <IconButton
                icon={X}
                label={`Take ${team.name} from this project`}
                size="small"
                testid={`project-team-${team.id}-remove`}
                onClick={() => remove(team)}
              />
            </li>
          ))}
        </FramedList>
      )}
    </div>
  );
}
