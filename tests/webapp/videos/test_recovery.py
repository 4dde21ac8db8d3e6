"""Tests of the sweep of imports, which queues imports of killed workers again and removes the files they left."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from tests.webapp.videos.clips import write_clip
from tests.webapp.videos.conftest import Bring, files_below
from webapp.accounts.models import User
from webapp.projects.models import Project
from webapp.storage.files import storage
from webapp.videos import recovery
from webapp.videos.import_queue import IMPORTS
from webapp.videos.importing import claim, run_import
from webapp.videos.models import Upload, Video, VideoState
from webapp.videos.recovery import remove_files_of_ended, report_orphans, sweep_imports
from webapp.videos.storage import folder_of, staging_of
from webapp.videos.upload_files import upload_path

LONG_AGO = timedelta(minutes=5)
pytestmark = pytest.mark.django_db(transaction=True)  # Workers are notified after a real commit.


def killed(video: Video, **changes: Any) -> None:
    """Change the row and the files of `video` as if its worker had been killed during the import.

    `changes` are further fields of the row.
    """
    claimed = claim(video.pk)
    assert claimed is not None
    staging = staging_of(video.pk, claimed.fence)
    staging.make()
    staging.frame(0).write_bytes(b"half a fra")
    Video.objects.filter(pk=video.pk).update(heartbeat=timezone.now() - LONG_AGO, **changes)
    hour_ago = timezone.now().timestamp() - 3600
    os.utime(staging.root, (hour_ago, hour_ago))


@pytest.fixture
def video(waiting: Bring, tmp_path: Path) -> Video:
    return waiting(write_clip(tmp_path / "clip.mp4", 4))


def test_an_import_whose_worker_died_is_done_again(video: Video, sent_tasks: list[Any], home: Path) -> None:
    killed(video)
    sweep_imports()
    assert sent_tasks == [("videos.import_video", [video.pk])]
    run_import(video.pk)
    video.refresh_from_db()
    assert (video.state, video.frame_count, video.attempts) == (VideoState.READY, 4, 2)
    sweep_imports()
    assert len(files_below(home)) == 9, "neither the upload nor the half-written attempt is left"


def test_it_leaves_a_worker_alone_that_lives(video: Video, sent_tasks: list[Any]) -> None:
    assert claim(video.pk) is not None
    sweep_imports()
    video.refresh_from_db()
    assert (video.state, video.fence, sent_tasks) == (VideoState.IMPORTING, 1, [])
    assert video.heartbeat is not None


def test_it_gives_up_after_some_deaths(video: Video, sent_tasks: list[Any], home: Path) -> None:
    killed(video, attempts=IMPORTS.limits.max_attempts)
    folder_of(video.pk).make()
    folder_of(video.pk).frame(0).write_bytes(b"moved, but the row was never written")
    sweep_imports()
    video.refresh_from_db()
    assert (video.state, sent_tasks) == (VideoState.FAILED, [])
    assert "stopped 3 times" in video.error
    sweep_imports()
    assert files_below(home) == []
    folder_of(video.pk).make()  # As if the storage had been away when the files were to be removed.
    remove_files_of_ended()
    assert not folder_of(video.pk).root.exists()


def test_files_of_ended_imports_are_found_with_one_query_for_all_folders(
    video: Video, django_assert_num_queries: Any
) -> None:
    folder_of(video.pk).make()
    for number in range(50):
        folder_of(video.pk + 1 + number).make()
    with django_assert_num_queries(1):
        remove_files_of_ended()
    Video.objects.filter(pk=video.pk).update(state=VideoState.FAILED)
    remove_files_of_ended()
    assert len(storage().folders("videos")) == 50, "only the files of the failed import are removed"


def test_a_cancel_that_the_dead_worker_never_saw_takes_effect(video: Video, home: Path) -> None:
    killed(video, cancel_requested=True)
    sweep_imports()
    sweep_imports()
    video.refresh_from_db()
    assert video.state == VideoState.CANCELLED
    assert files_below(home) == []


def test_it_notifies_again_for_one_that_nobody_heard_of(video: Video, sent_tasks: list[Any]) -> None:
    sweep_imports()
    assert sent_tasks == [], "a message was sent a moment ago"
    Video.objects.update(notified_at=timezone.now() - LONG_AGO)
    sweep_imports()
    sweep_imports()
    assert sent_tasks == [("videos.import_video", [video.pk])]


def test_a_video_of_a_command_that_was_killed_fails(project: Project, owner: User) -> None:
    old = timezone.now() - LONG_AGO
    video = Video.objects.create(project=project, name="x", created_by=owner, fence=1, heartbeat=old)
    sweep_imports()
    video.refresh_from_db()
    assert video.state == VideoState.FAILED
    assert "Bring it in again" in video.error
    Video.objects.filter(pk=video.pk).update(state=VideoState.IMPORTING, heartbeat=old, is_copy=True)
    sweep_imports()
    video.refresh_from_db()
    assert video.error == "The program that made this copy was stopped. Delete it, and give the job again."


def test_uploads_that_nobody_goes_on_with_are_removed(project: Project, owner: User, home: Path) -> None:
    for days in (1, 30):
        touched = timezone.now() - timedelta(days=days)
        upload = Upload.objects.create(project=project, name="x", size=9, created_by=owner, touched_at=touched)
        upload_path(upload.pk).write_bytes(b"12345")
    sweep_imports()
    assert [path.name for path in files_below(home)] == [str(Upload.objects.get().pk)]


def test_folders_without_a_row_are_logged_when_they_are_old_and_never_removed(
    project: Project, owner: User, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Video.objects.create(project=project, name="reef", created_by=owner)
    lost = ["videos/9876", "videos/98765", f"uploads/{uuid4()}"]
    for folder in (f"videos/{kept.pk}", *lost, "videos/importing-7-1"):
        (home / folder).mkdir(parents=True)
    before = set(storage().folders("videos"))
    with capture_logs() as logs:
        report_orphans()
    assert not logs, "they may be about to be removed"
    monkeypatch.setattr(recovery, "ORPHANED_AFTER", timedelta(0))
    with capture_logs() as logs:
        report_orphans()
    assert [(line["event"], line["first"]) for line in logs] == [("folders_without_row", lost)]
    assert set(storage().folders("videos")) == before, "the database may be the wrong one"
    assert len(storage().folders("uploads")) == 1
