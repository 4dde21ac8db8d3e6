/** Makes a team, or changes its name and who is in it. People are added by their user names. */
import { UserMinus, UserPlus } from "lucide-preact";
import { useState } from "preact/hooks";
import { useAttempt } from "../../api/attempt";
import { call } from "../../api/http";
import type { Team } from "../../api/types";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { TextField } from "../../parts/Field";
import { FramedList, RowText } from "../../parts/FramedList";
import { IconButton } from "../../parts/IconButton";
import { toast } from "../../parts/Toast";
import form from "../Form.module.css";
import { FormProblem } from "../FormProblem";

export interface TeamDialogProps {
  /** The team to change; null makes one. */
  team: Team | null;
  onClose: () => void;
  onSaved: () => Promise<void>;
}

/** Returns what differs from the team, so that a new name does not take back what others changed of its people. */
export function changesOf(team: Team, { name, members }: { name: string; members: string[] }) {
  const before = new Set(team.members.map(({ username }) => username));
  const same = before.size === members.length && members.every((username) => before.has(username));
  return { ...(name.trim() === team.name ? {} : { name }), ...(same ? {} : { members }) };
}

export function TeamDialog({ team, onClose, onSaved }: TeamDialogProps) {
  const [name, setName] = useState(team?.name ?? "");
  const [people, setPeople] = useState<readonly string[]>(
    team?.members.map(({ username }) => username) ?? [],
  );
  const [typed, setTyped] = useState("");
  const { busy, problem, attempt } = useAttempt();
  const shown = new Map(team?.members.map((member) => [member.username, member.name]));

  /** Returns everybody in the list, and those who are typed, separated by commas or spaces. */
  const everybody = () => [...new Set([...people, ...typed.split(/[\s,;]+/).filter(Boolean)])];
  const add = () => {
    setPeople(everybody());
    setTyped("");
  };
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const body = { name, members: everybody() };
    const saved = await attempt(() =>
      team
        ? call("PATCH", "/api/teams/{team_id}", { path: { team_id: team.id }, body: changesOf(team, body) })
        : call("POST", "/api/teams", { body }),
    );
    if (!saved) return;
    toast({ text: `The team ${name.trim()} is saved.` });
    await onSaved();
    onClose();
  };

  return (
    <Dialog
      title={team ? `Team ${team.name}` : "New team"}
      testid="team-dialog"
      onClose={onClose}
      footer={
        <>
          <Button testid="team-cancel" onClick={onClose}>
            Cancel
          </Button>
          <Button
            testid="team-save"
            type="submit"
            form="team-form"
            tone="accent"
            busy={busy}
            disabled={!name.trim()}
          >
            Save
          </Button>
        </>
      }
    >
      <form id="team-form" class={form.form} onSubmit={save}>
        <TextField
          label="Name"
          testid="team-name"
          value={name}
          onInput={setName}
          maxLength={60}
          autofocus={!team}
        />
        <div class={form.row}>
          <div class={form.grow}>
            <TextField label="Add by user name" testid="team-add" value={typed} onInput={setTyped} />
          </div>
          <Button icon={UserPlus} testid="team-add-yes" disabled={!typed.trim()} onClick={add}>
            Add
          </Button>
        </div>
        <FormProblem testid="team-problem" text={problem} />
        {people.length === 0 ? (
          <p class={form.note}>Nobody is in it yet.</p>
        ) : (
          <FramedList testid="team-people">
            {people.map((username) => (
              <li key={username}>
                <RowText
                  note={shown.has(username) && shown.get(username) !== username ? username : undefined}
                >
                  {shown.get(username) ?? username}
                </RowText>
                <IconButton
                  icon={UserMinus}
                  label={`Take ${username} out`}
                  size="small"
                  testid={`team-remove-${username}`}
                  onClick={() => setPeople(people.filter((other) => other !== username))}
                />
              </li>
            ))}
          </FramedList>
        )}
        {team && <p class={form.note}>Who is a member of a project stays one when the team changes.</p>}
      </form>
    </Dialog>
  );
}
