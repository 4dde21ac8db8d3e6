"""Tests of webapp/projects/api.py: the REST calls for projects, labels and members."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from webapp.accounts.models import User
from webapp.projects import editing
from webapp.projects.models import Membership, Project, Role
from webapp.videos.models import Video, VideoState

ClientAs = Callable[[User | None], Client]
JSON = "application/json"


def test_whoever_creates_a_project_owns_it(client_as: ClientAs, owner: User) -> None:
    client = client_as(owner)
    made = client.post("/api/projects", {"name": "  Birds ", "guide": "Wings too."}, JSON)
    assert made.status_code == 201
    answer = made.json()
    assert (answer["name"], answer["guide"], answer["engine"]) == ("Birds", "Wings too.", "default")
    assert (answer["role"], answer["videos"], answer["members"]) == ("owner", 0, 1)
    assert [label["name"] for label in answer["labels"]] == ["Object"]
    assert client.get("/api/projects").json() == [answer]
    assert client.get(f"/api/projects/{answer['id']}").json() == answer


def test_the_list_holds_ones_own_projects_with_ones_own_role(
    client_as: ClientAs, project: Project, annotator: User, stranger: User
) -> None:
    mine = client_as(annotator).get("/api/projects").json()
    assert [(p["name"], p["role"], p["members"]) for p in mine] == [("Reef", "annotator", 2)]
    assert [p["name"] for p in client_as(stranger).get("/api/projects").json()] == ["Elsewhere"]


def test_the_newest_video_that_is_ready_is_the_cover(client_as: ClientAs, project: Project, owner: User) -> None:
    client = client_as(owner)
    assert client.get(f"/api/projects/{project.pk}").json()["cover"] is None
    ready = [
        Video.objects.create(project=project, name=name, state=VideoState.READY, created_by=owner) for name in "ab"
    ]
    Video.objects.create(project=project, name="c", state=VideoState.FAILED, created_by=owner)
    (answer,) = client.get("/api/projects").json()
    assert (answer["cover"], answer["videos"], answer["members"]) == (ready[-1].pk, 3, 1)


def test_a_project_needs_a_name(client_as: ClientAs, owner: User) -> None:
    answer = client_as(owner).post("/api/projects", {"name": "   "}, JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "no_name")
    assert not Project.objects.exists()


def test_an_engine_that_does_not_exist_is_refused(client_as: ClientAs, project: Project, manager: User) -> None:
    address = f"/api/projects/{project.pk}"
    answer = client_as(manager).patch(address, {"engine": "magic", "guide": "New."}, JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_engine")
    assert "flow" in answer.json()["text"]
    project.refresh_from_db()
    assert (project.engine, project.guide) == ("default", "")
    assert client_as(manager).patch(address, {"engine": "flow"}, JSON).json()["engine"] == "flow"


def test_it_changes_only_what_is_given(client_as: ClientAs, project: Project, manager: User) -> None:
    answer = client_as(manager).patch(f"/api/projects/{project.pk}", {"guide": "Fins."}, JSON).json()
    assert (answer["name"], answer["guide"]) == ("Reef", "Fins.")


@pytest.mark.parametrize("field", ["name", "guide", "engine"])
def test_it_writes_only_what_it_changes(
    project: Project, manager: User, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    changes = {"name": "New", "guide": "Fins.", "engine": "flow"}
    read = Project.objects.get(pk=project.pk)
    meanwhile = {"name": "Meanwhile", "guide": "Meanwhile.", "engine": "star"}  # as if written by another request
    Project.objects.filter(pk=project.pk).update(**meanwhile)
    monkeypatch.setattr(editing, "project_for", lambda *_: read)
    editing.change_project(by=manager, project_id=project.pk, **{field: changes[field]})  # type: ignore[arg-type]
    project.refresh_from_db()
    kept = {name: getattr(project, name) for name in changes}
    assert kept == {**meanwhile, field: changes[field]}


def label_body(name: str, color: str = "#112233", id: int | None = None) -> dict[str, Any]:
    return {"name": name, "color": color, **({} if id is None else {"id": id})}


def test_labels_are_replaced_kept_by_id_and_may_swap_names(
    client_as: ClientAs, project: Project, manager: User
) -> None:
    client, address = client_as(manager), f"/api/projects/{project.pk}"
    first = client.patch(address, {"labels": [label_body("Fish"), label_body("Ray")]}, JSON).json()["labels"]
    fish, ray = (label["id"] for label in first)
    body = {"labels": [label_body("Fish", id=ray), label_body("Ray", "#445566", id=fish), label_body("Crab")]}
    second = client.patch(address, body, JSON).json()["labels"]
    assert [(x["name"], x["id"]) for x in second[:2]] == [("Fish", ray), ("Ray", fish)]
    assert [x["color"] for x in second] == ["#112233", "#445566", "#112233"]
    third = client.patch(address, {"labels": [label_body("Crab", id=second[2]["id"])]}, JSON).json()["labels"]
    assert [x["name"] for x in third] == ["Crab"]


def test_what_somebody_else_saved_meanwhile_is_not_written_over(
    client_as: ClientAs, project: Project, owner: User
) -> None:
    client, address = client_as(owner), f"/api/projects/{project.pk}"
    seen = client.get(address).json()
    theirs = {"guide": "Theirs.", "labels": [*seen["labels"], {"name": "Heron", "color": "#123456"}]}
    assert client.patch(address, theirs, JSON).status_code == 200
    stale = {"guide": "Mine.", "guide_before": seen["guide"]}, {"labels": [], "labels_before": seen["labels"]}
    for change, what in zip(stale, ("guide", "labels"), strict=True):
        refused = client.patch(address, change, JSON)
        assert (refused.status_code, refused.json()["code"]) == (409, "changed_meanwhile")
        assert what in refused.json()["text"]
    now = client.get(address).json()
    assert (now["guide"], now["labels"][-1]["name"]) == ("Theirs.", "Heron")
    mine = {"guide": "Mine.", "guide_before": now["guide"], "labels": [], "labels_before": now["labels"]}
    assert client.patch(address, mine, JSON).json()["labels"] == []


@pytest.mark.parametrize(
    ("labels", "status"),
    [
        ([label_body("Fish"), label_body("fish ")], 400),
        ([label_body(" ")], 400),
        ([label_body("Fish", id=10**6)], 400),
        ([label_body("Fish", color="red")], 422),
        ([label_body("x" * 61)], 422),
    ],
)
def test_it_refuses_labels_that_cannot_be(
    client_as: ClientAs, project: Project, manager: User, labels: list[dict[str, Any]], status: int
) -> None:
    body = {"name": "Changed", "labels": labels}
    answer = client_as(manager).patch(f"/api/projects/{project.pk}", body, JSON)
    assert answer.status_code == status
    assert answer.json()["text"]
    project.refresh_from_db()
    assert (project.name, project.labels.count()) == ("Reef", 0)


def test_only_an_owner_deletes_the_project(client_as: ClientAs, project: Project, manager: User, owner: User) -> None:
    address = f"/api/projects/{project.pk}"
    assert client_as(manager).delete(address).status_code == 403
    assert client_as(owner).delete(address).status_code == 204
    assert client_as(owner).get(address).status_code == 404
    assert Project.objects.get(pk=project.pk).deleted_by == owner  # It is in the trash.


# --- members ----------------------------------------------------------------------------------------------------------


def test_a_manager_invites_by_user_name(client_as: ClientAs, project: Project, manager: User, stranger: User) -> None:
    address = f"/api/projects/{project.pk}/members"
    made = client_as(manager).post(address, {"username": " stranger ", "role": "reviewer"}, JSON)
    assert made.status_code == 201
    assert made.json() == {
        "user": {"id": stranger.pk, "username": "stranger", "name": "Stranger"},
        "role": "reviewer",
    }
    assert made.json() in client_as(stranger).get(address).json()


def test_it_refuses_to_invite_nobody_twice_or_too_high(
    client_as: ClientAs, project: Project, manager: User, annotator: User, stranger: User
) -> None:
    client, address = client_as(manager), f"/api/projects/{project.pk}/members"
    unknown = client.post(address, {"username": "nobody", "role": "viewer"}, JSON)
    assert (unknown.status_code, unknown.json()["code"]) == (400, "unknown_user")
    twice = client.post(address, {"username": "annotator", "role": "viewer"}, JSON)
    assert (twice.status_code, twice.json()["code"]) == (409, "already_member")
    assert client.post(address, {"username": "stranger", "role": "owner"}, JSON).status_code == 403
    assert client.post(address, {"username": "stranger", "role": "king"}, JSON).status_code == 422
    assert not Membership.objects.filter(project=project, user=stranger).exists()
    assert Membership.objects.get(project=project, user=annotator).role == Role.ANNOTATOR


def test_a_manager_changes_roles_up_to_their_own(
    client_as: ClientAs, project: Project, owner: User, manager: User, viewer: User
) -> None:
    client, address = client_as(manager), f"/api/projects/{project.pk}/members"
    assert client.patch(f"{address}/{viewer.pk}", {"role": "manager"}, JSON).json()["role"] == "manager"
    assert client.patch(f"{address}/{viewer.pk}", {"role": "owner"}, JSON).status_code == 403
    assert client.patch(f"{address}/{owner.pk}", {"role": "viewer"}, JSON).status_code == 403
    assert client.delete(f"{address}/{owner.pk}").status_code == 403
    assert Membership.objects.get(project=project, user=owner).role == Role.OWNER


def test_anyone_may_leave_but_remove_no_other(
    client_as: ClientAs, project: Project, viewer: User, annotator: User
) -> None:
    client, address = client_as(viewer), f"/api/projects/{project.pk}/members"
    assert client.delete(f"{address}/{annotator.pk}").status_code == 403
    assert client.delete(f"{address}/{viewer.pk}").status_code == 204
    assert client.get(address).status_code == 404


def test_the_last_owner_stays(client_as: ClientAs, project: Project, owner: User, viewer: User) -> None:
    client, address = client_as(owner), f"/api/projects/{project.pk}/members"
    for answer in (
        client.delete(f"{address}/{owner.pk}"),
        client.patch(f"{address}/{owner.pk}", {"role": "manager"}, JSON),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    assert client.patch(f"{address}/{viewer.pk}", {"role": "owner"}, JSON).status_code == 200
    assert client.delete(f"{address}/{owner.pk}").status_code == 204


def test_an_owner_who_is_switched_off_does_not_count_as_one(
    client_as: ClientAs, project: Project, owner: User, manager: User
) -> None:
    Membership.objects.filter(user=manager).update(role=Role.OWNER)
    User.objects.filter(pk=manager.pk).update(is_active=False)
    answer = client_as(owner).delete(f"/api/projects/{project.pk}/members/{owner.pk}")
    assert answer.json()["code"] == "last_owner"


def test_who_is_no_member_cannot_be_changed(
    client_as: ClientAs, project: Project, manager: User, stranger: User
) -> None:
    client, address = client_as(manager), f"/api/projects/{project.pk}/members/{stranger.pk}"
    assert client.patch(address, {"role": "viewer"}, JSON).status_code == 404
    assert client.delete(address).status_code == 404
