"""REST calls of teams, and of the teams of a project."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from webapp.accounts.api import signed_in
from webapp.accounts.models import User
from webapp.paging import Sorted
from webapp.projects import teams
from webapp.projects.api import MemberAccount, MemberInfo
from webapp.projects.models import Membership, Role, Team
from webapp.rest import ErrorAnswer, Strict

router = Router(tags=["projects"])

TeamName = Annotated[str, Field(max_length=60)]
UserNames = Annotated[list[Annotated[str, Field(min_length=1, max_length=150)]], Field(max_length=500)]


class TeamInfo(Schema):
    """A team with its members whose accounts are active."""

    id: int
    name: str
    members: list[MemberAccount]
    created_by: str
    may_change: bool  # Whether the person who asks may rename the team, change its members and delete it.

    @staticmethod
    def resolve_members(team: Team) -> list[User]:
        return list(team.members.all())

    @staticmethod
    def resolve_created_by(team: Team) -> str:
        return team.created_by.shown_name

    @staticmethod
    def resolve_may_change(team: Team, context: dict[str, Any]) -> bool:
        return teams.may_change(signed_in(context["request"]), team)


class TeamBody(Strict):
    """A team to make. `members` are user names."""

    name: TeamName
    members: UserNames = []


class TeamPatch(Strict):
    """What to change of a team. `members` are the user names of everybody who is in the team afterwards."""

    name: TeamName | None = None
    members: UserNames | None = None


class TeamInvitation(Strict):
    """A team to invite, and the role that its people get who are no members yet."""

    team: Annotated[int, Field(ge=1)]
    role: Role


def _answer(user: User, team: Team) -> Team:
    return teams.teams_of(user).get(pk=team.pk)


@router.get("/teams", response={200: list[TeamInfo], (400, 403): ErrorAnswer})
def list_teams(request: HttpRequest, part: Query[Sorted], response: HttpResponse) -> list[Team]:
    """Return the teams that the person made or is in. Administrators get all teams."""
    return part.page(teams.teams_of(signed_in(request)), "name", request, response)


@router.post("/teams", response={201: TeamInfo, (400, 403, 409): ErrorAnswer})
def make_team(request: HttpRequest, body: TeamBody) -> Status[Team]:
    """Make a team of people, who are named by their user names."""
    user = signed_in(request)
    return Status(201, _answer(user, teams.make_team(by=user, name=body.name, usernames=body.members)))


@router.patch("/teams/{int:team_id}", response={200: TeamInfo, (400, 403, 404, 409): ErrorAnswer})
def change_team(request: HttpRequest, team_id: int, body: TeamPatch) -> Team:
    """Rename a team or replace its members. The members of projects stay the same."""
    user = signed_in(request)
    team = teams.change_team(by=user, team_id=team_id, name=body.name, usernames=body.members)
    return _answer(user, team)


@router.delete("/teams/{int:team_id}", response={204: None, (403, 404): ErrorAnswer})
def delete_team(request: HttpRequest, team_id: int) -> Status[None]:
    """Delete a team. Its people stay members of their projects."""
    teams.delete_team(by=signed_in(request), team_id=team_id)
    return Status(204, None)


@router.get("/projects/{int:project_id}/teams", response={200: list[TeamInfo], (400, 403, 404): ErrorAnswer})
def list_project_teams(
    request: HttpRequest, project_id: int, part: Query[Sorted], response: HttpResponse
) -> list[Team]:
    """Return the teams that were invited to a project."""
    return part.page(teams.teams_in(signed_in(request), project_id), "name", request, response)


@router.post("/projects/{int:project_id}/teams", response={201: list[MemberInfo], (400, 403, 404): ErrorAnswer})
def invite_team(request: HttpRequest, project_id: int, body: TeamInvitation) -> Status[list[Membership]]:
    """Make everybody in a team a member of a project, and return the new members. Members keep their roles."""
    by = signed_in(request)
    return Status(201, teams.invite_team(by=by, project_id=project_id, team_id=body.team, role=body.role))


@router.delete("/projects/{int:project_id}/teams/{int:team_id}", response={204: None, (403, 404): ErrorAnswer})
def remove_team(request: HttpRequest, project_id: int, team_id: int) -> Status[None]:
    """Take a team from the teams of a project. Its people stay members of the project."""
    teams.remove_team(by=signed_in(request), project_id=project_id, team_id=team_id)
    return Status(204, None)
