/** The teams that a person made or is in: named sets of people who are invited to projects and given jobs together. */
import { Pencil, Plus, Trash2, Users } from "lucide-preact";
import { useState } from "preact/hooks";
import { call, callAll } from "../../api/http";
import { useLoaded } from "../../api/load";
import type { Team } from "../../api/types";
import { plural } from "../../format";
import { Button } from "../../parts/Button";
import { confirm } from "../../parts/Confirm";
import { EmptyState } from "../../parts/EmptyState";
import { FramedList, ListGhost, RowText } from "../../parts/FramedList";
import { IconButton } from "../../parts/IconButton";
import { toast, toastError } from "../../parts/Toast";
import { PageHead } from "../PageHead";
import { ProblemState } from "../ProblemState";
import { Shell } from "../Shell";
import { TeamDialog } from "./TeamDialog";

const SHOWN = 8; // The names of a row; of more people only their number is said.

export function TeamsPage() {
  const loaded = useLoaded("teams", () => callAll("/api/teams"));
  const [edited, setEdited] = useState<Team | "new" | null>(null);
  return (
    <Shell title="Teams" crumbs={[{ name: "Teams", href: "/teams" }]}>
      <PageHead title="Teams">
        <p>People who are invited to a project and given jobs together.</p>
        {loaded.value && (
          <Button tone="accent" icon={Plus} testid="team-new" onClick={() => setEdited("new")}>
            New team
          </Button>
        )}
      </PageHead>
      {!loaded.value && loaded.problem && <ProblemState problem={loaded.problem} retry={loaded.reload} />}
      {!loaded.value && !loaded.problem && <ListGhost />}
      {loaded.value?.length === 0 && (
        <EmptyState icon={Users} title="No teams yet" testid="teams-none">
          A team that you make can be invited to your projects from their list of members.
        </EmptyState>
      )}
      {loaded.value && loaded.value.length > 0 && (
        <FramedList testid="teams">
          {loaded.value.map((team) => (
            <Row key={team.id} team={team} onEdit={() => setEdited(team)} onGone={loaded.reload} />
          ))}
        </FramedList>
      )}
      {edited && (
        <TeamDialog
          team={edited === "new" ? null : edited}
          onClose={() => setEdited(null)}
          onSaved={loaded.reload}
        />
      )}
    </Shell>
  );
}

/** Returns the names of the people in a team; of a large one the first, and how many more there are. */
export function peopleOf({ members }: Team): string {
  if (!members.length) return "nobody yet";
  const names = members.slice(0, SHOWN).map(({ name }) => name);
  const more = members.length - names.length;
  return names.join(", ") + (more ? ` and ${more} more` : "");
}

function Row({ team, onEdit, onGone }: { team: Team; onEdit: () => void; onGone: () => Promise<void> }) {
  const remove = async () => {
    const agreed = await confirm({
      title: `Delete the team ${team.name}?`,
      text: "Its people stay members of their projects and keep their jobs.",
      yes: "Delete",
    });
    if (!agreed) return;
    try {
      await call("DELETE", "/api/teams/{team_id}", { path: { team_id: team.id } });
      toast({ text: `${team.name} is deleted.` });
    } catch (error) {
      toastError(error);
    }
    await onGone();
  };
  return (
    <li data-testid={`team-${team.id}`}>
      <RowText
        note={`${plural(team.members.length, "person", "people")}: ${peopleOf(team)} · made by ${team.created_by}`}
      >
        {team.name}
      </RowText>
      {team.may_change && (
        <>
          <Button size="small" icon={Pencil} testid={`team-${team.id}-edit`} onClick={onEdit}>
            Edit
          </Button>
          <IconButton
            icon={Trash2}
            label={`Delete ${team.name}`}
            size="small"
            tone="bad"
            testid={`team-${team.id}-delete`}
            onClick={remove}
          />
        </>
      )}
    </li>
  );
}
