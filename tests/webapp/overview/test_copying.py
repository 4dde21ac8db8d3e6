"""Tests of copies of videos with their rounds: what a copy contains, and what is left of one that fails or is
cancelled.

The work in a copy counts only in the project where it was done.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client

from tests.conftest import make_project
from tests.webapp.annotation.test_accepted_objects import accept as accept_object
from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import accept, run
from webapp.accounts.models import User
from webapp.annotation.head import head_of
from webapp.annotation.masks import masks_of
from webapp.annotation.models import AcceptedFrame, AcceptedObject, Mask, Object, Round, Scribble
from webapp.annotation.objects import add_object
from webapp.jobs.models import Job
from webapp.overview import actions, copying
from webapp.overview.copying import run_copy
from webapp.overview.removal import remove_marked, sweep_trash
from webapp.projects.models import Label, Membership, Project, Role
from webapp.quality.facts import all_facts
from webapp.storage.failure import AWAY_FOR_LONG, StorageAway
from webapp.videos.create import create_video
from webapp.videos.frame_hashes import hashes_of
from webapp.videos.import_queue import IMPORTS
from webapp.videos.models import Video
from webapp.videos.storage import VideoFiles, folder_of

JSON = "application/json"


@pytest.fixture(autouse=True)
def _no_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let copies store no heartbeats, because their thread would wait for the transaction of the test."""
    monkeypatch.setattr(copying, "BEAT_SECONDS", 3600.0)


@pytest.fixture
def target(manager: User) -> Project:
    project = make_project("Lake", manager)
    Label.objects.create(project=project, name="fish", color="#112233")
    return project


@pytest.fixture
def video(project: Project, manager: User, settings: Any, tmp_path: Path, sent_tasks: Any) -> Video:
    """Create a video with two labelled objects, two rounds that are done, and a third one that waits.

    One frame is accepted, and one object in another frame.
    """
    settings.HOME = tmp_path
    frames = [np.full((24, 32, 3), 40, np.uint8)] * 4
    video = create_video(project=project, name="reef", frames=frames, author=manager)
    for name in ("Fish", "Ray"):
        label = Label.objects.create(project=project, name=name, color="#445566")
        add_object(video=video, author=manager, label_id=label.pk)
    first = done(video, manager, None, [0, 1, 2])
    second = done(video, manager, first.pk, [1], label=2)
    accept(video, manager, 2)
    accept_object(video, manager, 0, 0)
    run(video, manager, second.pk, frame=1)
    return video


@pytest.fixture
def copy(
    client_as: Callable[[User | None], Client], video: Video, target: Project, manager: User
) -> Callable[..., Video]:
    """Return a function that asks for a copy in the project "Lake" and returns its row, which waits for a worker."""

    def ask(**body: Any) -> Video:
        content = {"ids": [video.pk], "action": "copy", "project": target.pk, **body}
        address = f"/api/projects/{video.project_id}/videos/actions"
        answer = client_as(manager).post(address, content, JSON)
        assert answer.json() == {"changed": 1}
        return Video.objects.order_by("pk").last()  # type: ignore[return-value]

    return ask


def shown(video: Video) -> list[tuple[int, bytes]]:
    return [(mask.frame, mask.data) for mask in masks_of(video.pk, head_of(video.pk))]


def test_a_copy_has_the_rounds_masks_and_mapped_labels(
    copy: Callable[..., Video], video: Video, target: Project, monkeypatch: pytest.MonkeyPatch, sent_tasks: list
) -> None:
    monkeypatch.setattr(copying, "CHUNK", 2)
    before = shown(video)
    made = copy()
    assert (made.state, made.project) == ("importing", target)
    late = Round.objects.filter(video=video, state="done").order_by("-pk")[:1]  # As if made while the copy waits.
    Round.objects.filter(pk__in=list(late.values_list("pk", flat=True))).update(created_at=Now())
    run_copy(made.pk)
    made.refresh_from_db()
    assert (made.state, made.name, made.frame_count, made.rounds_made, made.accepted_count) == (
        "ready",
        "reef",
        4,
        3,
        1,
    )
    assert shown(made) == before == shown(video)
    assert folder_of(made.pk).frame(3).read_bytes() == folder_of(video.pk).frame(3).read_bytes()
    assert hashes_of(made.pk) == hashes_of(video.pk) != {}
    rounds = Round.objects.filter(video=made)
    assert [(row.number, row.state, row.base and row.base.number) for row in rounds] == [
        (1, "done", None),
        (2, "done", 1),
    ]
    assert head_of(made.pk) == rounds[1].pk
    assert Scribble.objects.filter(video=made).count() == 2
    assert [(row.frame, row.mask.round.video_id) for row in AcceptedFrame.objects.filter(video=made)] == [(2, made.pk)]
    objects = AcceptedObject.objects.filter(instance__video=made)
    assert [(row.instance.number, row.frame, row.mask.round_id) for row in objects] == [(1, 0, rounds[0].pk)]
    labels = [
        (row.number, row.label.name, row.label.project_id) for row in Object.objects.filter(video=made) if row.label
    ]
    assert labels == [(1, "fish", target.pk), (2, "Ray", target.pk)]
    assert add_object(video=made, author=video.created_by).number == 3
    assert Job.objects.get(video=made).state == "new"
    assert [fact for fact in all_facts(target.pk) if fact.measure != "human_seconds"] == [], (
        "work counts where it was done"
    )


def test_a_copy_keeps_its_accepted_frames_on_an_old_sqlite(
    copy: Callable[..., Video], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection.features, "can_return_columns_from_insert", False)
    made = copy()
    run_copy(made.pk)
    (accepted,) = AcceptedFrame.objects.filter(video=made)
    assert (accepted.frame, accepted.mask.frame, accepted.mask.round.video_id) == (2, 2, made.pk)


def test_given_labels_a_lost_worker_and_a_cancelled_copy(
    copy: Callable[..., Video], video: Video, target: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    fish, ray = Label.objects.filter(project=video.project_id).order_by("pk")
    there = Label.objects.get(project=target, name="fish")
    made = copy(labels=[{"label": fish.pk, "to": None}, {"label": ray.pk, "to": there.pk}])
    real, failed = copying._copy_masks, []

    def fail(*given: Any) -> None:
        real(*given)
        failed.append(True)
        raise RuntimeError("a fault")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copying, "_copy_masks", fail)
        run_copy(made.pk)
    made.refresh_from_db()
    assert (made.state, bool(failed), Mask.objects.filter(round__video=made).count()) == ("failed", True, 0)
    Video.objects.filter(pk=made.pk).update(state="importing", heartbeat=None)
    run_copy(made.pk)
    labels = Object.objects.filter(video=made).values_list("number", "label")
    assert list(labels) == [(1, None), (2, there.pk)]
    assert Round.objects.filter(video=made).count() == 2

    stopped = copy()
    Video.objects.filter(pk=stopped.pk).update(cancel_requested=True)
    run_copy(stopped.pk)
    stopped.refresh_from_db()
    assert (stopped.state, Round.objects.filter(video=stopped).count()) == ("cancelled", 0)
    assert not folder_of(stopped.pk).root.exists()

    orphan = copy()
    Video.objects.filter(pk=video.pk).update(removing=True)
    run_copy(orphan.pk)
    orphan.refresh_from_db()
    assert (orphan.state, orphan.error) == ("failed", "The video that was to be copied was deleted.")


def test_a_worker_that_lost_its_copy_adds_and_removes_nothing(
    copy: Callable[..., Video], video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, real = copy(), copying._copy_masks

    def lose(*given: Any) -> None:
        Video.objects.filter(pk=made.pk).update(fence=F("fence") + 1)
        real(*given)

    monkeypatch.setattr(copying, "_copy_masks", lose)
    run_copy(made.pk)
    made.refresh_from_db()
    assert (made.state, made.fence) == ("importing", 2)
    rounds = Round.objects.filter(video=made).count()
    assert (rounds, Mask.objects.filter(round__video=made).count()) == (2, 0), "they belong to the worker with fence 2"

    def lose_late(*given: Any) -> None:
        real(*given)
        Video.objects.filter(pk=made.pk).update(fence=F("fence") + 1)
        folder_of(made.pk).root.mkdir(exist_ok=True)

    monkeypatch.setattr(copying, "_copy_masks", lose_late)
    Video.objects.filter(pk=made.pk).update(heartbeat=None)
    run_copy(made.pk)
    assert (Round.objects.filter(video=made).count(), folder_of(made.pk).root.exists()) == (2, True)


@pytest.mark.parametrize("cancelled", [False, True])
def test_nothing_is_left_of_a_copy_that_ends_while_the_storage_is_away(
    copy: Callable[..., Video], video: Video, monkeypatch: pytest.MonkeyPatch, cancelled: bool
) -> None:
    made, real = copy(), copying._copy_masks
    changed = {"cancel_requested": True} if cancelled else {"postponed": IMPORTS.limits.max_postponed}

    def go_away(*given: Any) -> None:
        real(*given)
        Video.objects.filter(pk=made.pk).update(**changed)
        raise StorageAway("The server went away.")

    monkeypatch.setattr(copying, "_copy_masks", go_away)
    monkeypatch.setattr(VideoFiles, "remove", Mock(side_effect=StorageAway))
    run_copy(made.pk)
    made.refresh_from_db()
    assert (made.state, made.error) == (("cancelled", "") if cancelled else ("failed", AWAY_FOR_LONG))
    sweep_trash()
    remove_marked()
    assert not Round.objects.filter(video=made).exists()
    assert not Object.objects.filter(video=made).exists()
    assert Round.objects.filter(video=video).count() == 3


def test_labels_that_change_while_a_copy_waits_are_mapped_when_it_is_made(
    copy: Callable[..., Video], video: Video, target: Project, sent_tasks: list
) -> None:
    ray = Label.objects.get(project=video.project_id, name="Ray")
    made = copy()
    Label.objects.filter(project=target, name="Ray").delete()
    eel = Label.objects.create(project=video.project, name="Eel", color="#445566")
    Object.objects.filter(video=video, number=1).update(label=eel)
    assert ray.pk in dict(made.copy_labels or [])
    run_copy(made.pk)
    labels = Object.objects.filter(video=made).order_by("number").values_list("label__name", "label__project")
    assert list(labels) == [("Eel", target.pk), ("Ray", target.pk)]
    made.refresh_from_db()
    assert made.to_fix_stale, "a worker counts the frames to fix of the copy"


def test_many_videos_are_changed_in_parts_and_refused_before_the_first(
    client_as: Callable[[User | None], Client], video: Video, target: Project, manager: User, monkeypatch: Any
) -> None:
    monkeypatch.setattr(actions, "BATCH", 1)
    raw = Video.objects.create(project=video.project, name="raw", created_by=manager)
    client, address = client_as(manager), f"/api/projects/{video.project_id}/videos/actions"
    body = {"ids": [video.pk, raw.pk], "action": "copy", "project": target.pk}
    refused = client.post(address, body, JSON)
    assert (refused.status_code, refused.json()["code"], Video.objects.count()) == (409, "not_ready", 2)
    wrong = client.post(address, {**body, "ids": [video.pk], "labels": [{"label": 1, "to": 99}]}, JSON)
    assert (wrong.status_code, wrong.json()["code"], Video.objects.count()) == (400, "unknown_label", 2)
    Membership.objects.filter(project=target).update(role=Role.REVIEWER)
    assert client.post(address, {**body, "ids": [video.pk]}, JSON).status_code == 403
    assert client.post(address, {**body, "action": "archive"}, JSON).json() == {"changed": 2}
