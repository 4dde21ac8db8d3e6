/** The members of a project and their roles. Managers invite, change roles and remove. */
import { LogOut, UserMinus, UserPlus } from "lucide-preact";
import { useState } from "preact/hooks";
import { call, callAll } from "../api/http";
import { asProblem, type Loaded, useLoaded } from "../api/load";
import { givable, MEANING, may, mayTouch } from "../api/roles";
import { me } from "../api/session";
import type { Member, Project, Role } from "../api/types";
import { Avatar } from "../parts/Avatar";
import { Button } from "../parts/Button";
import { confirm } from "../parts/Confirm";
import { SelectField, TextField } from "../parts/Field";
import { FramedList } from "../parts/FramedList";
import { IconButton } from "../parts/IconButton";
import { toast, toastError } from "../parts/Toast";
import { go } from "../route";
import { InviteLinks } from "./InviteLinks";
import css from "./MembersTab.module.css";
import { ProblemState } from "./ProblemState";
import type { TabProps } from "./tab";
import { ProjectTeams } from "./teams/ProjectTeams";

export function MembersTab({ project, onChange }: TabProps) {
  const loaded = useLoaded(`members ${project.id}`, () =>
    callAll("/api/projects/{project_id}/members", { path: { project_id: project.id } }),
  );
  const members = loaded.value;
  if (!members) {
    if (loaded.problem) return <ProblemState problem={loaded.problem} retry={loaded.reload} />;
    return <div class={css.ghost} aria-busy="true" data-testid="state-loading" />;
  }
  const count = (list: Member[]) => {
    loaded.set(list);
    onChange({ ...project, members: list.length });
  };
  return (
    <div class={css.page}>
      <div class={css.people}>
        {may(project.role, "invite") && (
          <>
            <Invite project={project} onInvited={(member) => count([...members, member])} />
            <InviteLinks project={project} />
            <ProjectTeams
              project={project}
              members={members}
              onInvited={(added) => count([...members, ...added])}
            />
          </>
        )}
        <FramedList testid="members">
          {members.map((member) => (
            <Row
              key={member.user.id}
              member={member}
              project={project}
              loaded={loaded}
              onGone={() => count(members.filter((other) => other.user.id !== member.user.id))}
            />
          ))}
        </FramedList>
      </div>
      <dl class={css.roles}>
        {Object.entries(MEANING).map(([role, meaning]) => (
          <div key={role}>
            <dt>{role}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Invite({ project, onInvited }: { project: Project; onInvited: (member: Member) => void }) {
  const [username, setUsername] = useState("");
  const [role, setRole] = useState<Role>("annotator");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      const invitation = { username: username.trim(), role };
      const member = await call("POST", "/api/projects/{project_id}/members", {
        path: { project_id: project.id },
        body: invitation,
      });
      onInvited(member);
      setUsername("");
      toast({ text: `${member.user.name} is ${role} now and finds the project in their list.` });
    } catch (error) {
      setProblem(asProblem(error).message);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form class={css.invite} onSubmit={submit} data-testid="invite">
      <TextField
        label="Invite by user name"
        testid="invite-username"
        value={username}
        onInput={setUsername}
        maxLength={150}
        error={problem}
      />
      <SelectField
        label="Role"
        testid="invite-role"
        value={role}
        options={givable(project.role).map((value) => ({ value, name: value }))}
        onChange={(value) => setRole(value as Role)}
      />
      <Button
        type="submit"
        tone="accent"
        icon={UserPlus}
        testid="invite-submit"
        busy={busy}
        disabled={!username.trim()}
      >
        Invite
      </Button>
    </form>
  );
}

interface RowProps {
  member: Member;
  project: Project;
  loaded: Loaded<Member[]>;
  onGone: () => void;
}

function Row({ member, project, loaded, onGone }: RowProps) {
  const { user, role } = member;
  const self = me.value?.id === user.id;
  const touch = mayTouch(project.role, role);
  const path = { project_id: project.id, user_id: user.id };

  const give = async (wanted: Role) => {
    try {
      const changed = await call("PATCH", "/api/projects/{project_id}/members/{user_id}", {
        path,
        body: { role: wanted },
      });
      if (self) location.reload(); // The person's own permissions have changed on the whole page.
      loaded.set((list) => list.map((other) => (other.user.id === user.id ? changed : other)));
      toast({ text: `${user.name} is ${wanted} now.` });
    } catch (error) {
      toastError(error);
      loaded.reload();
    }
  };

  const remove = async () => {
    const question = self
      ? {
          title: "Leave this project?",
          text: "You will no longer see it. What you made in it stays.",
          yes: "Leave",
        }
      : {
          title: `Remove ${user.name}?`,
          text: "They will no longer see this project. What they made in it stays.",
          yes: "Remove",
        };
    if (!(await confirm(question))) return;
    try {
      await call("DELETE", "/api/projects/{project_id}/members/{user_id}", { path });
      if (self) go("/");
      else onGone();
      toast({ text: self ? `You have left ${project.name}.` : `${user.name} is no longer a member.` });
    } catch (error) {
      toastError(error);
    }
  };

  return (
    <li class={css.row} data-testid={`member-${user.username}`}>
      <Avatar id={user.id} name={user.name} size={30} />
      <span class={css.name}>
        <b>
          {user.name}
          {self && <i> (you)</i>}
        </b>
        {user.name !== user.username && <small>{user.username}</small>}
      </span>
      {touch ? (
        <div class={css.select}>
          <SelectField
            label={`Role of ${user.name}`}
            bare
            testid={`member-role-${user.username}`}
            value={role}
            options={givable(project.role).map((value) => ({ value, name: value }))}
            onChange={(value) => give(value as Role)}
          />
        </div>
      ) : (
        <span class={css.role}>{role}</span>
      )}
      {(self || touch) && (
        <IconButton
          icon={self ? LogOut : UserMinus}
          label={self ? "Leave this project" : `Remove ${user.name}`}
          size="small"
          tone="bad"
          testid={`member-remove-${user.username}`}
          onClick={remove}
        />
      )}
    </li>
  );
}
