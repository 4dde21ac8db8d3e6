/**
 * Invites people who have no account: by a link for one person, or by a CSV file of many. Invitations that nobody has used
 * yet are listed, and can be withdrawn.
 */
import { Copy, FileUp, Link, X } from "lucide-preact";
import { useRef, useState } from "preact/hooks";
import { call, callAll } from "../api/http";
import { asProblem, type Loaded, useLoaded } from "../api/load";
import { givable } from "../api/roles";
import type { OpenInvitation, Project, Role } from "../api/types";
import { dayOf } from "../jobs/words";
import { Button } from "../parts/Button";
import { copyText } from "../parts/copyText";
import { SelectField, TextField } from "../parts/Field";
import { FramedList, RowText } from "../parts/FramedList";
import { IconButton } from "../parts/IconButton";
import { toast, toastError } from "../parts/Toast";
import css from "./MembersTab.module.css";
import { ProblemLine } from "./ProblemLine";

interface Made {
  email: string;
  link: string | null;
  /** A worker sends it by mail. */
  mailed: boolean;
}

export function InviteLinks({ project }: { project: Project }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("annotator");
  const [made, setMade] = useState<readonly Made[]>([]);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const file = useRef<HTMLInputElement>(null);
  const path = { project_id: project.id };
  const open = useLoaded(`invitations ${project.id}`, () =>
    callAll("/api/projects/{project_id}/invitations", { path }),
  );

  const attempt = async (invite: () => Promise<readonly Made[]>) => {
    setBusy(true);
    setProblem("");
    try {
      const added = await invite();
      setMade((before) => [...added, ...before]); // Earlier links stay, because they are not shown again.
      setEmail("");
      open.reload();
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
      {made.length > 0 && <MadeLinks made={made} />}
      <OpenInvitations open={open} />
    </form>
  );
}

/** The links that were made since the page was opened. The server never tells them again. */
function MadeLinks({ made }: { made: readonly Made[] }) {
  const links = made.filter(({ link }) => link !== null);
  const lineOf = ({ email, link }: Made) => [email, `${location.origin}${link}`].filter(Boolean).join(" ");
  return (
    <div class={css.links} role="status" data-testid="invite-made">
      <header>
        <span>
          {made.every(({ mailed, link }) => mailed || link === null)
            ? "These links are sent by mail. They are not shown again."
            : "Pass these links on now, they are not shown again."}{" "}
          Each works once and for 14 days.
        </span>
        {links.length > 1 && (
          <Button
            size="small"
            icon={Copy}
            testid="invite-copy-all"
            onClick={() => copyText(links.map(lineOf).join("\n"), "links")}
          >
            Copy all
          </Button>
        )}
      </header>
      <ul>
        {made.map(({ email: to, link, mailed }) => (
          <li key={link ?? to}>
            {to && <b>{to}</b>}
            {link === null ? (
              <span>is a member already</span>
            ) : (
              <>
                {mailed && <span>sent by mail</span>}
                <code>{location.origin + link}</code>
                <IconButton
                  icon={Copy}
                  label={to ? `Copy the link for ${to}` : "Copy the link"}
                  size="small"
                  testid="invite-copy"
                  onClick={() => copyText(location.origin + link, "link")}
                />
              </>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The invitations that can still be used, newest first. Withdrawing one makes its link useless. */
function OpenInvitations({ open }: { open: Loaded<OpenInvitation[]> }) {
  const withdraw = async ({ id }: OpenInvitation) => {
    try {
      await call("DELETE", "/api/invitations/{invitation_id}", { path: { invitation_id: id } });
      toast({ text: "The invitation is withdrawn. Its link no longer works." });
    } catch (error) {
      toastError(error);
    }
    open.reload();
  };
  if (!open.value?.length) return <ProblemLine what="Open invitations" loaded={open} />;
  return (
    <section class={css.open} aria-label="Open invitations">
      <h3>
        Open invitations <small>{open.value.length.toLocaleString("en")}</small>
      </h3>
      <FramedList testid="invitations" class={css.few}>
        {open.value.map((invitation) => (
          <li key={invitation.id} data-testid={`invitation-${invitation.id}`}>
            <RowText
              note={`${invitation.role}, from ${invitation.created_by}, until ${dayOf(new Date(invitation.expires_at))}`}
            >
              {nameOf(invitation)}
            </RowText>
            <IconButton
              icon={X}
              label={`Withdraw the invitation of ${nameOf(invitation)}`}
              size="small"
              tone="bad"
              testid={`invitation-withdraw-${invitation.id}`}
              onClick={() => withdraw(invitation)}
            />
          </li>
        ))}
      </FramedList>
    </section>
  );
}

function nameOf({ email, first_name, last_name }: OpenInvitation): string {
  const name = `${first_name} ${last_name}`.trim();
  if (name && email) return `${name}, ${email}`;
  return name || email || "whoever has the link";
}
