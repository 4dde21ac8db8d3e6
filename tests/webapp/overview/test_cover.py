"""Tests of what a card shows of the masks of a video: how many frames are to be fixed, and a picture with masks."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from tests.webapp.conftest import accept, run
from webapp.accounts.models import User
from webapp.annotation import to_fix
from webapp.annotation.absence import mark_absent
from webapp.annotation.claims import NewMask, claim, finish, new_mask, store
from webapp.annotation.counters import COUNT_TO_FIX
from webapp.annotation.models import Mask
from webapp.annotation.objects import add_object, update_object
from webapp.annotation.to_fix import count_to_fix, frames_to_fix, sweep_to_fix
from webapp.projects.models import Project
from webapp.videos.create import create_video
from webapp.videos.models import Video

ClientAs = Callable[[User | None], Client]


def _mask(frame: int, confidence: float) -> NewMask:
    """Return a mask with the object in its left half; in frame 1 it is empty."""
    labels = np.zeros((24, 32), np.uint8)
    labels[:, :16] = frame != 1
    return new_mask(frame, labels, [confidence], None)


@pytest.fixture
def video(project: Project, annotator: User, settings: Any, tmp_path: Path, sent_tasks: Any) -> Video:
    """Create a video of six frames: the object is lost in frame 1, and the engine is unsure in the frames 2 and 4."""
    settings.HOME = tmp_path
    frames = [np.full((24, 32, 3), 40, np.uint8)] * 6
    video = create_video(project=project, name="reef", frames=frames, author=annotator)
    add_object(video=video, author=annotator, name="Fish", color="#ff0000")
    claimed = claim(run(video, annotator, None).pk, "w")
    assert claimed is not None
    store(claimed, [_mask(*cell) for cell in enumerate((0.9, 0.9, 0.6, 0.9, 0.2, 0.7))])
    finish(claimed, complete=True)
    return video


def test_the_frames_to_fix_are_counted_by_a_worker_after_each_change(
    video: Video,
    annotator: User,
    reviewer: User,
    client_as: ClientAs,
    monkeypatch: pytest.MonkeyPatch,
    sent_tasks: list,
) -> None:
    client, address = client_as(annotator), f"/api/projects/{video.project_id}/cards"
    assert client.get(address).json()["cards"][0]["to_fix"] is None
    assert frames_to_fix(video.pk) == {1, 2, 4}
    count_to_fix(video.pk)
    assert client.get(address).json()["cards"][0]["to_fix"] == 3
    accept(video, reviewer, 4)
    mark_absent(video=video, object_id=1, first=1, last=1, absent=True)
    assert frames_to_fix(video.pk) == {2}
    Video.objects.filter(pk=video.pk).update(to_fix_stale=True, changed_at=video.created_at.replace(year=2020))
    count = Video.objects.filter(to_fix_stale=True)
    sweep_to_fix()
    assert count.exists()
    count_to_fix(video.pk)
    assert client.get(address).json()["cards"][0]["to_fix"] == 1
    assert not count.exists()

    moving = iter(range(9))
    monkeypatch.setattr(to_fix, "last_change", lambda video_id: next(moving))
    update_object(video=video, number=1, deleted=True)
    sent = list(sent_tasks)
    count_to_fix(video.pk)
    assert count.exists(), "what changes all the time is counted later"
    assert sent_tasks == sent, "the sweep sends the task again later"


def test_a_card_has_a_picture_with_the_masks_of_the_frame_that_was_worked_on(
    video: Video, annotator: User, client_as: ClientAs
) -> None:
    client, address = client_as(annotator), f"/api/projects/{video.project_id}/cards"
    cover = client.get(address).json()["cards"][0]["cover"]
    assert cover.startswith(f"/api/videos/{video.pk}/cover.jpg?v=")
    answer = client.get(cover)
    assert answer.headers["Cache-Control"] == "private, max-age=604800"
    picture = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert picture.shape == (24, 32, 3)
    assert picture[12, 4, 0] > 120 > 60 > picture[12, 28, 0]
    update_object(video=video, number=1, deleted=True)
    after = client.get(address).json()["cards"][0]["cover"]
    assert after != cover
    assert np.asarray(Image.open(io.BytesIO(client.get(after).content)))[12, 4, 0] < 60
    Mask.objects.all().delete()
    assert client.get(after).status_code == 404


def test_the_task_is_sent_once_until_it_was_done(
    video: Video, annotator: User, sent_tasks: list, django_capture_on_commit_callbacks: Any
) -> None:
    Video.objects.update(to_fix_stale=False)
    with django_capture_on_commit_callbacks(execute=True):
        for name in ("a", "b"):
            update_object(video=video, number=1, name=name)
    assert sent_tasks.count((COUNT_TO_FIX, [video.pk])) == 1
