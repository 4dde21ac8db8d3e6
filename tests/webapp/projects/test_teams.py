"""Tests of teams: making and changing them, who sees them, inviting them to a project, and dealing jobs to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.conftest import make_user
from tests.webapp.conftest import make_video
from webapp.accounts.models import User
from webapp.accounts.tokens import make_token
from webapp.audit.models import AuditEntry
from webapp.jobs.models import Job
from webapp.notifications.models import Notification
from webapp.projects.models import Membership, Project, Role, Team

ClientAs = Callable[[User | None], Client]
JSON = "application/json"


@pytest.fixture
def people(db: None) -> list[User]:
    return [make_user(name) for name in ("ann", "bob", "cleo")]


@pytest.fixture
def team(people: list[User], manager: User) -> Team:
    team = Team.objects.create(name="Night shift", created_by=manager)
    team.members.set(people)
    return team


def names(answer: Any) -> list[str]:
    return [member["username"] for member in answer["members"]]


def test_a_team_is_made_changed_and_deleted(client_as: ClientAs, people: list[User], manager: User) -> None:
    client = client_as(manager)
    made = client.post("/api/teams", {"name": " Night shift ", "members": ["ann", "bob", "ann"]}, JSON)
    info = made.json()
    assert (made.status_code, info["name"], names(info)) == (201, "Night shift", ["ann", "bob"])
    assert (info["created_by"], info["may_change"]) == ("Manager", True)
    address = f"/api/teams/{info['id']}"
    changed = client.patch(address, {"name": "Day shift", "members": ["bob", "cleo"]}, JSON).json()
    assert (changed["name"], names(changed)) == ("Day shift", ["bob", "cleo"])
    assert client.patch(address, {}, JSON).json() == changed
    User.objects.filter(username="bob").update(is_active=False)
    assert [names(team) for team in client.get("/api/teams").json()] == [["cleo"]]
    assert names(client.patch(address, {"members": ["cleo"]}, JSON).json()) == ["cleo"]
    User.objects.filter(username="bob").update(is_active=True)
    assert [names(team) for team in client.get("/api/teams").json()] == [["bob", "cleo"]], "nobody took Bob away"
    assert (client.delete(address).status_code, client.get("/api/teams").json()) == (204, [])
    told = [(entry.action, entry.details) for entry in AuditEntry.objects.filter(kind="team").order_by("pk")]
    assert told == [
        ("team.make", {"members": ["ann", "bob"]}),
        ("team.rename", {"name": ["Night shift", "Day shift"]}),
        ("team.members", {"added": ["cleo"], "removed": ["ann"]}),
        ("team.delete", {}),
    ]


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"name": "  "}, 400, "no_name", "name"),
        ({"name": "Night shift"}, 409, "name_taken", "name"),
        ({"name": "New", "members": ["ann", "nobody"]}, 400, "unknown_user", "members"),
        ({"name": "n" * 61}, 422, "invalid", "body.name"),
    ],
)
def test_a_wrong_team_is_refused_and_changes_nothing(
    client_as: ClientAs, team: Team, manager: User, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    client = client_as(manager)
    other = Team.objects.create(name="Other", created_by=manager)
    for answer in (client.post("/api/teams", body, JSON), client.patch(f"/api/teams/{other.pk}", body, JSON)):
        said = answer.json()
        assert (answer.status_code, said["code"]) == (status, code)
        assert said["field"].endswith(field)
    assert sorted(Team.objects.values_list("name", flat=True)) == ["Night shift", "Other"]
    assert not other.members.exists()


def test_members_see_a_team_and_only_its_maker_and_administrators_change_it(
    client_as: ClientAs, team: Team, people: list[User], manager: User, stranger: User
) -> None:
    User.objects.filter(pk=people[2].pk).update(is_superuser=True)
    root = User.objects.get(pk=people[2].pk)
    team.members.remove(root)
    seen = {}
    for user in (manager, people[0], root, stranger):
        client = client_as(user)
        seen[user.username] = [info["may_change"] for info in client.get("/api/teams").json()]
        statuses = [client.patch(f"/api/teams/{team.pk}", {"name": f"By {user}"}, JSON).status_code]
        seen[user.username] += statuses
    assert seen == {"manager": [True, 200], "ann": [False, 403], "cleo": [True, 200], "stranger": [404]}
    team.refresh_from_db()
    assert team.name == "By cleo"


def test_a_token_for_certain_projects_sees_no_teams_but_those_of_its_projects(
    team: Team, project: Project, manager: User
) -> None:
    _, secret = make_token(by=manager, name="script", projects=[project.pk], may_write=True, days=None)
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    assert client.get("/api/teams").status_code == 403
    invitation = {"team": team.pk, "role": "viewer"}
    assert client.post(f"/api/projects/{project.pk}/teams", invitation, JSON).status_code == 404
    team.projects.add(project)
    assert [info["id"] for info in client.get(f"/api/projects/{project.pk}/teams").json()] == [team.pk]


def test_a_team_is_invited_as_a_whole_and_again_for_those_who_joined(
    client_as: ClientAs, team: Team, people: list[User], project: Project, manager: User, owner: User
) -> None:
    address = f"/api/projects/{project.pk}/teams"
    client, body = client_as(manager), {"team": team.pk, "role": "annotator"}
    assert client_as(owner).post(address, body, JSON).status_code == 404  # The owner does not see the manager's team.
    assert client.post(address, {**body, "role": "owner"}, JSON).status_code == 403
    Membership.objects.create(project=project, user=people[0], role=Role.REVIEWER)
    added = client.post(address, body, JSON)
    assert (added.status_code, [row["user"]["username"] for row in added.json()]) == (201, ["bob", "cleo"])
    roles = dict(Membership.objects.filter(project=project).values_list("user__username", "role"))
    assert (roles["ann"], roles["bob"], roles["cleo"]) == ("reviewer", "annotator", "annotator")
    assert set(Notification.objects.values_list("user__username", flat=True)) == {"bob", "cleo"}
    assert [info["name"] for info in client_as(owner).get(address).json()] == ["Night shift"]
    team.members.add(make_user("dora"))
    assert [row["user"]["username"] for row in client_as(owner).post(address, body, JSON).json()] == ["dora"]
    assert client.delete(f"{address}/{team.pk}").status_code == 204
    assert (client.get(address).json(), client.delete(f"{address}/{team.pk}").status_code) == ([], 404)
    assert Membership.objects.filter(project=project, user__teams=team).count() == 4


def test_an_empty_team_is_not_invited(client_as: ClientAs, team: Team, project: Project, manager: User) -> None:
    User.objects.filter(teams=team).update(is_active=False)
    body = {"team": team.pk, "role": "viewer"}
    answer = client_as(manager).post(f"/api/projects/{project.pk}/teams", body, JSON)
    assert (answer.status_code, answer.json()["code"], team.projects.count()) == (400, "empty_team", 0)


def test_jobs_are_dealt_among_those_of_a_team_who_can_have_them(
    client_as: ClientAs, team: Team, people: list[User], project: Project, manager: User, annotator: User
) -> None:
    client, address = client_as(manager), f"/api/projects/{project.pk}/jobs/deal"
    for _ in range(6):
        make_video(project, manager)
    refused = client.post(address, {"teams": [team.pk]}, JSON)
    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_team")
    team.projects.add(project)
    refused = client.post(address, {"teams": [team.pk]}, JSON)
    assert (refused.status_code, refused.json()["code"]) == (400, "nobody_chosen")
    for person, role in zip(people, (Role.ANNOTATOR, Role.REVIEWER, Role.VIEWER), strict=True):
        Membership.objects.create(project=project, user=person, role=role)
    dealt = client.post(address, {"teams": [team.pk], "people": [annotator.pk, people[0].pk]}, JSON)
    assert dealt.status_code == 200
    got = {person.pk: Job.objects.filter(assignee=person).count() for person in (annotator, *people)}
    assert list(got.values()) == [2, 2, 2, 0]
