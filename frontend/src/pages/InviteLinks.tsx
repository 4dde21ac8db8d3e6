/** Invites people who have no account: by a link for one person, or by a CSV file of many. */
import { FileUp, Link } from "lucide-preact";
import { useRef, useState } from "preact/hooks";
import { call } from "../api/http";
import { asProblem } from "../api/load";
import { givable } from "../api/roles";
import type { Project, Role } from "../api/types";
import { Button } from "../parts/Button";
import { SelectField, TextField } from "../parts/Field";
import css from "./MembersTab.module.css";

interface Made {
  email: string;
  link: string | null;
}

export function InviteLinks({ project }: { project: Project }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("annotator");
  const [made, setMade] = useState<readonly Made[]>([]);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const file = useRef<HTMLInputElement>(null);
  const path = { project_id: project.id };

  const attempt = async (invite: () => Promise<readonly Made[]>) => {
    setBusy(true);
    setProblem("");
    try {
      setMade(await invite());
      setEmail("");
    } catch (error) {
      setProblem(asProblem(error).message);
    } finally {
      setBusy(false);
    }
  };
  const one = () =>
    attempt(async () => {
      const body = { role, email: email.trim() };
      return [await call("POST", "/api/projects/{project_id}/invitations", { path, body })];
    });
  const many = (chosen: File) =>
    attempt(async () =>
      call("POST", "/api/projects/{project_id}/invitations/csv", {
        path,
        body: { text: await chosen.text() },
      }),
    );

  return (
    <form
      class={css.invite}
      data-testid="invite-links"
      onSubmit={(event) => {
        event.preventDefault();
        one();
      }}
    >
      <TextField
        label="Invite by link"
        testid="invite-email"
        placeholder="Mail address, if known"
        value={email}
        onInput={setEmail}
        maxLength={254}
        error={problem}
      />
      <SelectField
        label="Role"
        testid="invite-link-role"
        value={role}
        options={givable(project.role).map((value) => ({ value, name: value }))}
        onChange={(value) => setRole(value as Role)}
      />
      <div class={css.ways}>
        <Button type="submit" icon={Link} testid="invite-link" busy={busy}>
          Make a link
        </Button>
        <Button
          icon={FileUp}
          testid="invite-file"
          title="A CSV file with the columns email, role, first_name and last_name"
          onClick={() => file.current?.click()}
        >
          From a file…
        </Button>
      </div>
      <input
        ref={file}
        type="file"
        accept=".csv,text/csv"
        hidden
        data-testid="invite-file-input"
        onChange={(event) => {
          const chosen = event.currentTarget.files?.[0];
          if (chosen) many(chosen);
          event.currentTarget.value = "";
        }}
      />
      {made.length > 0 && (
        <div class={css.links} role="status" data-testid="invite-made">
          Pass these links on now, they are not shown again. Each works once and for 14 days.
          <ul>
            {made.map(({ email: to, link }) => (
              <li key={link ?? to}>
                {to && <b>{to} </b>}
                {link === null ? "is a member already" : <code>{location.origin + link}</code>}
              </li>
            ))}
          </ul>
        </div>
      )}
    </form>
  );
}
