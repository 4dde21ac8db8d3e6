"""Teams: named sets of people, which exist outside of projects and are invited to a project as a whole.

A team is seen by its members, by the person who made it and by administrators, and changed by the last two. Managers of
a project to which a team was invited see the team there.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet

from webapp.accounts.models import User
from webapp.audit.entries import Thing, record
from webapp.problems import Forbidden, NotFound, Problem
from webapp.projects.access import require
from webapp.projects.members import add_member, check_may_give, lock_project
from webapp.projects.models import Membership, Role, Team

ACTIVE = Prefetch("members", queryset=User.objects.filter(is_active=True).order_by("pk"))


def teams_of(user: User) -> QuerySet[Team]:
    """Return the teams that `user` made or is in; an administrator gets all teams.

    Raises Forbidden for a token that is limited to certain projects, because teams belong to none.
    """
    if user.token_projects is not None:
        raise Forbidden("This token is for certain projects only, and teams belong to no project.")
    teams = Team.objects.select_related("created_by").prefetch_related(ACTIVE)
    return teams if user.is_superuser else teams.filter(Q(created_by=user) | Q(members=user)).distinct()


def teams_in(by: User, project_id: int) -> QuerySet[Team]:
    """Return the teams that were invited to a project. Raises NotFound, or Forbidden for members who are no
    managers.
    """
    require(by, project_id, Role.MANAGER)
    return Team.objects.filter(projects=project_id).select_related("created_by").prefetch_related(ACTIVE)


def may_change(user: User, team: Team) -> bool:
    """Return whether `user` may rename a team, change who is in it, and delete it."""
    return user.is_superuser or team.created_by_id == user.pk


@transaction.atomic
def make_team(*, by: User, name: str, usernames: Sequence[str]) -> Team:
    """Create a team of the people with these user names.

    Raises Problem: "no_name"; "unknown_user"; "name_taken" (409) if `by` has a team of this name.
    """
    teams_of(by)  # A token that is limited to projects is refused.
    people = _people(usernames)
    team = Team(name=_free_name(name, by.pk), created_by=by)
    team.save()
    team.members.set(people)
    record(by, "team.make", _thing(team), members=sorted(person.username for person in people))
    return team


@transaction.atomic
def change_team(*, by: User, team_id: int, name: str | None, usernames: Sequence[str] | None) -> Team:
    """Rename a team, and replace who is in it. None leaves the name or the people as they are.

    The members of projects to which the team was invited stay the same, and so do people of the team whose accounts are
    not active, because nobody is shown them. Raises what `make_team` and `team_to_change` raise.
    """
    team = team_to_change(by, team_id)
    if name is not None and name.strip() != team.name:
        before, team.name = team.name, _free_name(name, team.created_by_id)
        team.save(update_fields=["name"])
        record(by, "team.rename", _thing(team), name=[before, team.name])
    if usernames is not None:
        earlier = set(team.members.filter(is_active=True).values_list("username", flat=True))
        people = _people(usernames)
        after = {person.username for person in people}
        team.members.set([*people, *team.members.filter(is_active=False)])
        if after != earlier:
            came, went = sorted(after - earlier), sorted(earlier - after)
            record(by, "team.members", _thing(team), added=came, removed=went)
    return team


@transaction.atomic
def delete_team(*, by: User, team_id: int) -> None:
    """Delete a team. Its people stay members of the projects in which they are."""
    team = team_to_change(by, team_id)
    record(by, "team.delete", _thing(team))
    team.delete()


def team_to_change(by: User, team_id: int) -> Team:
    """Return a team, whose row is locked until the transaction ends. Raises NotFound, or Forbidden for its members."""
    if not teams_of(by).filter(pk=team_id).exists():
        raise NotFound("team")
    team = _held(team_id)
    if not may_change(by, team):
        raise Forbidden("Only the person who made this team, or an administrator, may change it.")
    return team


@transaction.atomic
def invite_team(*, by: User, project_id: int, team_id: int, role: Role) -> list[Membership]:
    """Make everybody in a team a member with `role`, and return the new memberships. Members keep their roles.

    The same call adds whoever joined the team later. Raises NotFound, Forbidden, or Problem "empty_team".
    """
    check_may_give(by, project_id, role)
    lock_project(project_id)
    team = _held(_seen_team(by, project_id, team_id).pk)
    people = list(team.members.filter(is_active=True).order_by("pk"))
    if not people:
        raise Problem("empty_team", f"Nobody is in {team.name}. Add people to the team first.", field="team")
    team.projects.add(project_id)
    there = set(Membership.objects.filter(project_id=project_id, user__in=people).values_list("user", flat=True))
    record(by, "team.invite", _thing(team), project_id=project_id, role=role)
    new = [person for person in people if person.pk not in there]
    return [add_member(by=by, project_id=project_id, user=person, role=role) for person in new]


@transaction.atomic
def remove_team(*, by: User, project_id: int, team_id: int) -> None:
    """Take a team from the teams of a project. Its people stay members.

    Raises NotFound, or Forbidden unless `by` is a manager of the project.
    """
    team = teams_in(by, project_id).filter(pk=team_id).first()
    if team is None:
        raise NotFound("team")
    team.projects.remove(project_id)
    record(by, "team.remove", _thing(team), project_id=project_id)


def people_of_teams(by: User, project_id: int, teams: Sequence[int]) -> list[int]:
    """Return the ids of the people in teams of a project who can have jobs there. Raises Problem "unknown_team"."""
    found = {team.pk: team for team in teams_in(by, project_id).filter(pk__in=teams)}
    if missing := sorted(set(teams) - found.keys()):
        raise Problem("unknown_team", f"Team {missing[0]} was not invited to this project.", field="teams")
    able = Membership.objects.filter(project_id=project_id, user__is_active=True).exclude(role=Role.VIEWER)
    able_ids = set(able.values_list("user", flat=True))
    people = [person.pk for team_id in teams for person in found[team_id].members.all()]
    return [person for person in dict.fromkeys(people) if person in able_ids]


def _seen_team(by: User, project_id: int, team_id: int) -> Team:
    """Return a team that `by` sees: one of their own, or one of the project."""
    team = teams_in(by, project_id).filter(pk=team_id).first()
    if team is None and by.token_projects is None:
        team = teams_of(by).filter(pk=team_id).first()
    if team is None:
        raise NotFound("team")
    return team


def _held(team_id: int) -> Team:
    """Return the row of a team, locked until the transaction ends. Raises NotFound if somebody has deleted it."""
    held = Team.objects.select_for_update(no_key=True).filter(pk=team_id).first()
    if held is None:
        raise NotFound("team")
    return held


def _people(usernames: Sequence[str]) -> list[User]:
    wanted = {username.strip() for username in usernames}
    people = list(User.objects.filter(username__in=wanted, is_active=True))
    if missing := sorted(wanted - {person.username for person in people}):
        raise Problem("unknown_user", f"There is no user called {missing[0]}.", field="members")
    return people


def _free_name(name: str, maker_id: int) -> str:
    name = name.strip()
    if not name:
        raise Problem("no_name", "A team needs a name.", field="name")
    User.objects.select_for_update(no_key=True).get(pk=maker_id)  # One new name of this person at a time.
    if Team.objects.filter(created_by=maker_id, name=name).exists():
        raise Problem("name_taken", f"There is a team called {name} already.", 409, field="name")
    return name


def _thing(team: Team) -> Thing:
    return Thing("team", team.pk, team.name)
