"""Tests with Celery workers in processes of their own: a round is completed after its worker was killed (SIGKILL), with
the same masks, and a drained worker finishes its round and begins no other.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.utils import timezone

from tests.webapp.conftest import FRAMES, draw, make_video
from tests.webapp.inference.conftest import write_frames
from webapp.accounts.models import User
from webapp.annotation.masks import masks_of
from webapp.annotation.models import Mask, Round
from webapp.annotation.objects import add_object
from webapp.annotation.rounds import Reach, create_round
from webapp.annotation.undo import move_head
from webapp.inference import workers
from webapp.inference.models import Worker
from webapp.inference.workers import ALIVE_WITHIN, drain
from webapp.projects.models import Project
from webapp.videos.models import Video

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[[], subprocess.Popen[bytes]]

# The settings of the worker: the default settings with the database of the test
WORKER_SETTINGS = """
from webapp.settings import *
DATABASES["default"]["NAME"] = {database!r}
"""


@pytest.fixture
def start_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Return a function that starts `manage.py worker --queue rounds` with a new data folder.

    The worker gets the tasks that the test process sends. It is killed at the end of the test.
    """
    (tmp_path / "worker_settings.py").write_text(WORKER_SETTINGS.format(database=settings.DATABASES["default"]["NAME"]))
    environment = {
        **os.environ,
        "MASKWRIGHT_HOME": str(tmp_path),
        "MASKWRIGHT_ENGINES": "tests.segmentation.fake_engine",
        "FAKE_ENGINE_SLEEP": "0.25",
        "MASKWRIGHT_WARM_UP": "0",
        "DJANGO_SETTINGS_MODULE": "worker_settings",
        "PYTHONPATH": f"{tmp_path}:{settings.BASE_DIR}",
    }
    folders = {"data_folder_in": "messages", "data_folder_out": "messages", "control_folder": "control"}
    options = {name: str(tmp_path / "queue" / folder) for name, folder in folders.items()}
    for folder in options.values():
        Path(folder).mkdir(parents=True, exist_ok=True)
    broker = Celery("bell", broker="folder://localhost", set_as_current=False)
    broker.conf.update(broker_transport_options=options, task_default_queue="rounds")
    send = broker.send_task
    monkeypatch.setattr(Celery, "send_task", lambda self, name, args=None, **rest: send(name, args))
    children: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "worker", "--queue", "rounds"]
        children.append(subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment))
        return children[-1]

    yield start
    for child in children:
        child.kill()
        child.wait()


@pytest.fixture
def video(project: Project, owner: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Video:
    monkeypatch.setattr(settings, "HOME", tmp_path)
    video = make_video(project, owner)
    add_object(video=video, author=owner)
    write_frames(video)
    return video


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"no {what} within {seconds} s")


def make(video: Video, author: User, base: int | None, *, supersedes: bool = True) -> Round:
    draw(video, author, frame=2)
    key, reach = os.urandom(16).hex(), Reach(supersedes=supersedes)
    return create_round(video=video, author=author, key=key, frames=[2], engine="fake", base=base, reach=reach)


def bytes_of(round_id: int) -> dict[int, bytes]:
    return {mask.frame: bytes(mask.data) for mask in Mask.objects.filter(round_id=round_id)}


def test_a_round_outlives_its_worker_and_a_drained_worker_finishes_its_own(
    video: Video, owner: User, start_worker: Start
) -> None:
    worker = start_worker()
    wait_for(lambda: workers.status().alive, 60, "worker")
    row = make(video, owner, None)
    wait_for(lambda: Mask.objects.filter(round=row).count() >= 2, 30, "mask")
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    row.refresh_from_db()
    assert row.state == "running"
    before = dict(Mask.objects.filter(round=row).values_list("frame", "pk"))
    assert 2 <= len(before) < FRAMES, "it was killed in the middle"
    wait_for(lambda: not workers.status().alive, 10, "word that the worker is gone")

    second = start_worker()
    wait_for(lambda: Round.objects.filter(pk=row.pk, state="done").exists(), 60, "end of the round")
    row.refresh_from_db()
    after = dict(Mask.objects.filter(round=row).values_list("frame", "pk"))
    assert (row.attempts, row.frames, row.progress_done) == (2, [[0, FRAMES - 1]], FRAMES)
    assert len(after) == FRAMES
    assert before.items() <= after.items(), "a mask was lost or made anew"

    move_head(video=video, by=owner, from_round=row.pk, to_round=None)
    whole = make(video, owner, None)
    wait_for(lambda: Round.objects.filter(pk=whole.pk, state="done").exists(), 30, "end of the second round")
    assert bytes_of(row.pk) == bytes_of(whole.pk), "an interrupted round has other masks than a whole one"
    assert len(list(masks_of(video.pk, whole.pk))) == FRAMES

    # While it is drained, the worker finishes its round and begins no other one. Then it begins the one that waits.
    name = Worker.objects.get(draining=False, heartbeat__gte=timezone.now() - ALIVE_WITHIN).name
    running = make(video, owner, whole.pk)
    wait_for(lambda: Mask.objects.filter(round=running).exists(), 30, "mask")
    assert drain(name, draining=True)
    waiting = make(video, owner, running.pk, supersedes=False)
    wait_for(lambda: Round.objects.filter(pk=running.pk, state="done").exists(), 30, "end of the running round")
    seen = Worker.objects.get(name=name).heartbeat
    wait_for(lambda: Worker.objects.get(name=name).heartbeat > seen + 1.5 * timedelta(seconds=1), 10, "heartbeat")
    assert Round.objects.get(pk=waiting.pk).state == "queued"
    assert not workers.status().alive
    assert drain(name, draining=False)
    wait_for(lambda: Mask.objects.filter(round=waiting).exists(), 30, "mask of the round that waited")

    # SIGTERM drains it, too: it finishes its round and ends.
    second.terminate()
    wait_for(lambda: Worker.objects.filter(name=name, draining=True).exists(), 10, "word that it drains")
    assert second.wait(30) == 0
    assert Round.objects.get(pk=waiting.pk).state == "done"
    assert not Worker.objects.filter(name=name).exists()
