/** Members of a project to choose from, each with a box. */
import type { Member } from "../api/types";
import { Avatar } from "../parts/Avatar";
import css from "./PeopleChoice.module.css";

export interface PeopleChoiceProps {
  members: readonly Member[];
  chosen: ReadonlySet<number>;
  onChange: (chosen: ReadonlySet<number>) => void;
  /** The boxes are called `<testid>-<username>`. */
  testid: string;
}

/** Returns the members who can be given jobs to annotate. */
export function annotatorsOf(members: readonly Member[]): Member[] {
  return members.filter(({ role }) => role !== "viewer");
}

export function PeopleChoice({ members, chosen, onChange, testid }: PeopleChoiceProps) {
  const toggle = (id: number) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    onChange(next);
  };
  if (!members.length)
    return (
      <p class={css.none} data-testid="people-none">
        Nobody here can have jobs yet. Managers invite annotators under Members.
      </p>
    );
  return (
    <ul class={css.people}>
      {members.map(({ user, role }) => (
        <li key={user.id}>
          <label>
            <input
              type="checkbox"
              data-testid={`${testid}-${user.username}`}
              checked={chosen.has(user.id)}
              onChange={() => toggle(user.id)}
            />
            <Avatar id={user.id} name={user.name} size={22} />
            <span>{user.name}</span>
            <small>{role}</small>
          </label>
        </li>
      ))}
    </ul>
  );
}
