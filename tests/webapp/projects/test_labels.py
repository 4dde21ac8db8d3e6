"""Tests that deleting a label asks where its objects go, and that the label comes back with its objects.

Further tests are of the list of archived projects, and of the page that a person sees first.
"""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from tests.conftest import make_project
from tests.webapp.conftest import make_video
from webapp.accounts.models import User
from webapp.annotation.models import Change, Object
from webapp.annotation.objects import add_object, update_object
from webapp.audit.models import AuditEntry
from webapp.jobs.models import Job
from webapp.overview.removal import remove_marked
from webapp.projects.models import Label, Project, RemovedLabel
from webapp.videos.models import Video

ClientAs = Callable[[User | None], Client]
JSON = "application/json"


def test_a_label_with_objects_is_deleted_only_with_an_answer_and_comes_back(
    client_as: ClientAs, project: Project, manager: User, annotator: User, sent_tasks: list
) -> None:
    fish, ray, crab = (Label.objects.create(project=project, name=name, color="#112233") for name in ("F", "R", "C"))
    videos = [make_video(project, manager) for _ in range(2)]
    own = [add_object(video=video, author=manager, label_id=fish.pk) for video in (*videos, videos[0])]
    update_object(video=videos[0], number=own[2].number, deleted=True)
    client, address = client_as(manager), f"/api/projects/{project.pk}"
    kept = {"labels": [{"id": ray.pk, "name": "R", "color": "#112233"}]}

    refused = client.patch(address, kept, JSON)
    assert (refused.status_code, refused.json()["code"]) == (409, "label_in_use")
    assert refused.json()["in_use"] == [{"id": fish.pk, "name": "F", "objects": 2}]
    wrong = client.patch(address, {**kept, "labels_to": [{"label": fish.pk, "to": crab.pk}]}, JSON)
    assert (wrong.status_code, wrong.json()["code"]) == (400, "unknown_label")
    assert Label.objects.count() == 3

    before = Change.objects.count()
    answer = client.patch(address, {**kept, "labels_to": [{"label": fish.pk, "to": ray.pk}]}, JSON)
    assert [label["name"] for label in answer.json()["labels"]] == ["R"]
    assert set(Object.objects.values_list("label", flat=True)) == {ray.pk}
    told = [change.message["object"]["label"] for change in Change.objects.order_by("pk")[before:]]
    assert told == [ray.pk] * 3
    assert AuditEntry.objects.get(action="label.delete", thing_name="F").details == {"objects": 3, "to": "R"}

    update_object(video=videos[1], number=own[1].number, label=None)
    trash = {item["name"]: item for item in client.get("/api/trash").json() if item["kind"] == "label"}
    assert set(trash) == {"F", "C"}
    restore = f"/api/trash/label/{trash['F']['id']}/restore"
    assert client_as(annotator).post(restore).status_code == 403
    Label.objects.filter(pk=ray.pk).update(name="f")
    assert client.post(restore).json()["code"] == "label_twice"
    Label.objects.filter(pk=ray.pk).update(name="R")
    assert client.post(restore).status_code == 204
    assert client.post(restore).status_code == 404
    back = dict(Object.objects.values_list("pk", "label"))
    assert back == {own[0].pk: fish.pk, own[1].pk: None, own[2].pk: fish.pk}
    assert client.post("/api/trash/empty", {}, JSON).json() == {"count": 1}
    remove_marked()
    assert not RemovedLabel.objects.exists()


def test_a_label_that_comes_back_leaves_objects_alone_that_went_to_another_project(
    client_as: ClientAs, project: Project, manager: User, sent_tasks: list
) -> None:
    fish, ray = (Label.objects.create(project=project, name=name, color="#112233") for name in ("Fish", "Ray"))
    stays, goes = (make_video(project, manager) for _ in range(2))
    for video in (stays, goes):
        for label in (fish, ray):
            add_object(video=video, author=manager, label_id=label.pk)
    client, address = client_as(manager), f"/api/projects/{project.pk}"
    moves = [{"label": label.pk, "to": None} for label in (fish, ray)]
    assert client.patch(address, {"labels": [], "labels_to": moves}, JSON).status_code == 200
    Video.objects.filter(pk=goes.pk).update(project=make_project("Lake", manager))
    for row in RemovedLabel.objects.all():
        assert client.post(f"/api/trash/label/{row.pk}/restore").status_code == 204
    labels = Object.objects.order_by("video", "number").values_list("video", "label")
    assert list(labels) == [(stays.pk, fish.pk), (stays.pk, ray.pk), (goes.pk, None), (goes.pk, None)]


def test_an_archived_project_is_listed_apart(client_as: ClientAs, project: Project, manager: User) -> None:
    client = client_as(manager)
    assert client.patch(f"/api/projects/{project.pk}", {"archived": True}, JSON).json()["archived"]
    assert client.get("/api/projects").json() == []
    assert [row["id"] for row in client.get("/api/projects?archived=true").json()] == [project.pk]
    client.patch(f"/api/projects/{project.pk}", {"archived": False}, JSON)
    assert len(client.get("/api/projects").json()) == 1
    assert AuditEntry.objects.filter(action__in=("project.archive", "project.unarchive")).count() == 2


def test_who_only_annotates_and_has_a_job_lands_at_their_work(
    client_as: ClientAs, project: Project, manager: User, annotator: User
) -> None:
    clients = [client_as(user) for user in (annotator, manager)]
    assert [client.get("/api/me").json()["lands"] for client in clients] == ["projects"] * 2
    make_video(project, manager)
    Job.objects.create(video=make_video(project, manager), first=0, last=1, assignee=annotator)
    Job.objects.create(video=make_video(project, manager), first=0, last=1, assignee=manager)
    assert [client.get("/api/me").json()["lands"] for client in clients] == ["work", "projects"]
