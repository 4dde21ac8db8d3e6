"""Tests of tasks that are sent after a commit: if the broker cannot be reached, no request fails or waits."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.conf import settings as django_settings
from django.db import transaction
from structlog.testing import capture_logs

from tests.webapp.conftest import run
from webapp.accounts.models import User
from webapp.annotation.models import Round
from webapp.projects.models import Project
from webapp.tasks import sending
from webapp.tasks.sending import after_commit, send_task
from webapp.videos.models import Upload, Video
from webapp.videos.upload_files import upload_path
from webapp.videos.uploads import finish_upload

BASE = Path(django_settings.BASE_DIR)


@pytest.fixture
def broker_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Celery, *args: Any, **options: Any) -> None:
        raise ConnectionError("Connection refused")

    monkeypatch.setattr(Celery, "send_task", refuse)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("callback", [partial(int, "no number"), lambda: int("no number")], ids=["partial", "function"])
def test_an_error_after_the_commit_is_logged_and_does_not_reach_the_caller(callback: Any) -> None:
    done: list[int] = []
    with capture_logs() as logs, transaction.atomic():
        after_commit(callback)
        after_commit(done.append, 1)
    assert done == [1]
    assert [entry["event"] for entry in logs] == ["failed_after_commit"]


@pytest.mark.django_db(transaction=True)
def test_a_round_is_stored_while_the_broker_is_away(video: Video, owner: User, broker_away: None) -> None:
    made = run(video, owner, None)
    assert Round.objects.get(pk=made.pk).state == "queued"


@pytest.mark.django_db(transaction=True)
def test_an_upload_is_finished_while_the_broker_is_away(
    project: Project, owner: User, broker_away: None, settings: Any, tmp_path: Path
) -> None:
    settings.HOME = tmp_path
    upload = Upload.objects.create(project=project, name="reef.mp4", size=3, received=3, created_by=owner)
    upload_path(upload.pk).parent.mkdir(parents=True)
    upload_path(upload.pk).write_bytes(b"mp4")
    video = finish_upload(by=owner, upload_id=upload.pk)
    assert Video.objects.get(pk=video.pk).state == "importing"


@pytest.mark.django_db(transaction=True)
def test_in_team_mode_a_broker_that_hangs_keeps_no_caller_waiting(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TEAM_MODE = True
    woken, sent = threading.Event(), []

    def hang(self: Celery, name: str, args: Any, **options: Any) -> None:
        woken.wait(20)
        sent.append(args)

    monkeypatch.setattr(Celery, "send_task", hang)
    monkeypatch.setattr(sending, "MOST_UNSENT", 5)
    monkeypatch.setattr(sending, "_sender", sending._Sender())
    began = time.monotonic()
    with capture_logs() as logs:
        for number in range(10):
            send_task("inference.run_round", number)
    assert time.monotonic() - began < 5
    assert [entry["event"] for entry in logs] in (["task_not_sent"] * 4, ["task_not_sent"] * 5)
    woken.set()
    sending._sender._unsent.join()
    assert sent[:5] == [[0], [1], [2], [3], [4]]


def test_only_the_module_sending_calls_on_commit() -> None:
    """Other code than webapp/tasks/sending.py calls `after_commit` instead of Django's `on_commit`.

    An error in a function that `on_commit` calls makes the request fail. `on_commit(robust=True)` logs the error
    instead, but fails in doing so if the function is a `functools.partial`, which has no `__qualname__`.
    """
    asked = [
        path.relative_to(BASE).as_posix() for path in BASE.glob("webapp/**/*.py") if "on_commit(" in path.read_text()
    ]
    assert asked == ["webapp/tasks/sending.py"]
