"""Tests of actions on many videos, and of moving videos between projects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from tests.conftest import make_project
from tests.webapp.conftest import make_video
from webapp.accounts.models import User
from webapp.annotation.models import Object
from webapp.annotation.objects import add_object
from webapp.audit.models import AuditEntry
from webapp.jobs.models import Job, JobState, Stage
from webapp.overview import actions
from webapp.projects.models import Label, Membership, Project, Role
from webapp.videos.models import Video, VideoState

ClientAs = Callable[[User | None], Client]
Act = Callable[..., HttpResponse]
TODAY = timezone.localdate()


@pytest.fixture
def videos(project: Project, owner: User) -> list[Video]:
    return [make_video(project, owner) for _ in range(3)]


@pytest.fixture
def act(client_as: ClientAs, manager: User, project: Project, videos: list[Video]) -> Act:
    """Return a function that sends an action on all three videos, or on those of `ids`, as a manager."""
    client = client_as(manager)

    def send(action: str, **body: Any) -> HttpResponse:
        ids, headers = body.pop("ids", [video.pk for video in videos]), body.pop("headers", None)
        address, body = f"/api/projects/{project.pk}/videos/actions", {"ids": ids, "action": action, **body}
        return client.post(address, body, content_type="application/json", headers=headers)  # type: ignore[return-value]

    return send


def changed(answer: HttpResponse) -> int:
    assert answer.status_code == 200, answer.content
    return int(answer.json()["changed"])  # type: ignore[attr-defined]


def test_jobs_of_many_videos_are_assigned_and_dated(act: Act, annotator: User, reviewer: User) -> None:
    due = (TODAY + timedelta(days=3)).isoformat()
    assert changed(act("assign", person=annotator.pk)) == 3
    assert changed(act("assign", person=annotator.pk)) == 0  # They have it already.
    assert changed(act("reviewer", person=reviewer.pk)) == 3
    assert changed(act("priority", priority=4)) == 3
    assert changed(act("due", due=due)) == 3
    rows = Job.objects.values_list("assignee__username", "reviewer__username", "priority", "due")
    assert {(*row[:3], str(row[3])) for row in rows} == {("annotator", "reviewer", 4, due)}
    assert changed(act("assign", person=None)) == 3
    assert not Job.objects.exclude(assignee=None).exists()


def test_an_accepted_job_is_left_as_it_is(act: Act, annotator: User) -> None:
    accepted = Job.objects.order_by("pk")[0]
    Job.objects.filter(pk=accepted.pk).update(stage=Stage.ACCEPTANCE, state=JobState.COMPLETED)
    assert changed(act("assign", person=annotator.pk)) == 2


@pytest.mark.parametrize(
    ("action", "body", "status", "code"),
    [
        ("assign", {"person": 1 << 40}, 400, "not_a_member"),
        ("due", {"due": "2001-01-01"}, 400, "due_in_past"),
        ("priority", {}, 400, "no_priority"),
        ("move", {}, 400, "no_project"),
        ("move", {"project": 1 << 40}, 404, "not_found"),
        ("archive", {"ids": [1, 1 << 40]}, 404, "not_found"),
        ("paint", {}, 422, "invalid"),
    ],
)
def test_bad_values_change_nothing(act: Act, action: str, body: Any, status: int, code: str) -> None:
    before = list(Job.objects.values()), list(Video.objects.values())
    answer = act(action, **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)  # type: ignore[attr-defined]
    assert (list(Job.objects.values()), list(Video.objects.values())) == before


def test_if_one_refuses_none_is_changed(act: Act, project: Project, owner: User, videos: list[Video]) -> None:
    target = make_project("Coast", owner)
    Membership.objects.create(project=target, user=User.objects.get(username="manager"), role=Role.MANAGER)
    Video.objects.filter(pk=videos[2].pk).update(state=VideoState.IMPORTING)
    answer = act("move", project=target.pk)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")  # type: ignore[attr-defined]
    assert set(Video.objects.values_list("project", flat=True)) == {project.pk}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "again"}])
def test_a_refusal_that_comes_up_under_way_says_what_was_changed_before(
    act: Act,
    project: Project,
    annotator: User,
    videos: list[Video],
    monkeypatch: pytest.MonkeyPatch,
    headers: dict[str, str],
) -> None:
    monkeypatch.setattr(actions, "BATCH", 2)
    change_job = actions.change_job

    def and_the_person_leaves(**given: Any) -> Job:
        job = change_job(**given)
        if job.video_id == videos[1].pk:
            Membership.objects.filter(project=project, user=annotator).update(role=Role.VIEWER)
        return job

    monkeypatch.setattr(actions, "change_job", and_the_person_leaves)
    answer = act("assign", person=annotator.pk, headers=headers)
    said = answer.json()  # type: ignore[attr-defined]
    kept = 0 if headers else 2  # With a key all batches are one transaction.
    assert (answer.status_code, said["code"], said.get("changed") or 0) == (400, "not_an_annotator", kept)
    assert ("Before that, 2 jobs were changed." in said["text"]) == bool(kept)
    assert Job.objects.filter(assignee=annotator).count() == kept


def test_archiving_and_deleting_many_is_recorded_for_each(act: Act, videos: list[Video]) -> None:
    assert changed(act("archive", ids=[videos[0].pk])) == 1
    assert changed(act("archive")) == 2
    assert changed(act("unarchive")) == 3
    assert changed(act("delete")) == 3
    assert not Video.objects.filter(deleted_at=None).exists()
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert [action for action in actions if action.startswith("video")] == [
        *["video.archive"] * 3,
        *["video.unarchive"] * 3,
        *["video.delete"] * 3,
    ]


def test_a_moved_video_keeps_its_objects_with_the_labels_of_the_other_project(
    act: Act, project: Project, owner: User, manager: User, annotator: User, videos: list[Video]
) -> None:
    target = make_project("Coast", owner)
    Membership.objects.create(project=target, user=manager, role=Role.MANAGER)
    same = Label.objects.create(project=target, name="fish", color="#000000")
    for name in ("Fish", "Eel"):
        label = Label.objects.create(project=project, name=name, color="#112233")
        add_object(video=videos[0], author=owner, label_id=label.pk)
    act("assign", ids=[videos[0].pk], person=annotator.pk)
    assert changed(act("move", ids=[videos[0].pk], project=target.pk)) == 1
    labels = Object.objects.order_by("number").values_list("label__name", "label__project", "label__color")
    assert list(labels) == [("fish", target.pk, "#000000"), ("Eel", target.pk, "#112233")]
    assert Object.objects.get(number=1).label == same
    moved = Video.objects.get(pk=videos[0].pk)
    assert (moved.project, moved.jobs.get().assignee) == (target, None)  # The annotator is no member there.
    assert changed(act("move", ids=[videos[1].pk], project=project.pk)) == 0  # It is there already.


def test_who_manages_only_one_of_the_projects_moves_nothing(act: Act, stranger: User) -> None:
    answer = act("move", project=Project.objects.get(name="Elsewhere").pk)
    assert answer.status_code == 404
