"""Tests of what is done about lost workers, and of what the page shows about the workers.

The sweep queues their rounds again, and the features that they left on disk are removed.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from tests.webapp.conftest import run, some_mask
from webapp.accounts.models import User
from webapp.annotation.claims import ROUNDS, claim, store
from webapp.annotation.models import Round
from webapp.inference import recovery, workers
from webapp.inference.models import Worker
from webapp.videos.models import Video

STALE_AFTER = ROUNDS.limits.stale_after


@pytest.fixture
def dead() -> str:
    """Return the name ("host:pid") of a worker whose process ran on this machine and has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return f"{socket.gethostname()}:{child.pid}"


def state(row: Round) -> str:
    row.refresh_from_db()
    return row.state


def test_a_round_of_a_dead_worker_is_queued_at_once(video: Video, owner: User, dead: str) -> None:
    row = run(video, owner, None)
    claimed = claim(row.pk, dead)
    assert claimed
    store(claimed, [some_mask(0)])
    ROUNDS.sweep()
    assert state(row) == "queued"
    assert row.progress_done == 1


@pytest.mark.parametrize(("age", "wanted"), [(2 * STALE_AFTER, "queued"), (STALE_AFTER / 2, "running")])
def test_a_round_of_a_worker_elsewhere_is_queued_when_its_heartbeat_is_stale(
    video: Video, owner: User, age: timedelta, wanted: str
) -> None:
    row = run(video, owner, None)
    assert claim(row.pk, "elsewhere:1")
    Round.objects.update(heartbeat=timezone.now() - age)
    ROUNDS.sweep()
    assert state(row) == wanted


def test_a_round_of_a_living_worker_is_left_alone(video: Video, owner: User) -> None:
    row = run(video, owner, None)
    assert claim(row.pk, workers.own_name())
    ROUNDS.sweep()
    assert state(row) == "running"


@pytest.mark.django_db(transaction=True)
def test_a_round_that_nobody_heard_of_is_notified_again_but_not_all_the_time(
    video: Video, owner: User, sent_tasks: list[Any]
) -> None:
    row = run(video, owner, None)
    sent_tasks.clear()
    ROUNDS.sweep()
    assert sent_tasks == [], "it was just made: its own message is on the way"
    Round.objects.update(notified_at=F("notified_at") - timedelta(seconds=10))
    ROUNDS.sweep()
    assert sent_tasks == [], "the workers may be busy"
    for _ in range(3):
        ROUNDS.sweep(starting=True)
    assert sent_tasks == [("inference.run_round", [row.pk])], "what was sent to the predecessor may be lost"
    Round.objects.update(notified_at=F("notified_at") - timedelta(minutes=1))
    for _ in range(3):
        ROUNDS.sweep()
    assert len(sent_tasks) == 2


def test_features_that_a_dead_worker_spilled_are_removed(db: None, settings: Any, tmp_path: Any, dead: str) -> None:
    settings.HOME = tmp_path
    gone, mine = (tmp_path / "cache" / name.replace(":", "-") for name in (dead, workers.own_name()))
    for folder in (gone, mine):
        folder.mkdir(parents=True)
        (folder / "features.bin").write_bytes(b"x")
    recovery.remove_spilled_features()
    assert not gone.exists()
    assert (mine / "features.bin").exists()


def test_features_of_containers_that_were_replaced_are_removed(db: None, settings: Any, tmp_path: Any) -> None:
    settings.HOME = tmp_path
    now = timezone.now()
    day, moment = timedelta(days=1, hours=1), timedelta(minutes=5)
    cases = {  # folder name: (time since the last write, time since the last heartbeat of its worker)
        "pod-abc-7": (day, None),
        "pod-abc-8": (day, day),
        "pod-abc-9": (day, moment),
        "pod-abc-10": (moment, None),
        "pod-abc-notes": (day, None),
        f"{socket.gethostname()}-{os.getpid()}": (day, None),
    }
    for name, (written, heard) in cases.items():
        folder = tmp_path / "cache" / name
        folder.mkdir(parents=True)
        (folder / "features.bin").write_bytes(b"x")
        os.utime(folder / "features.bin", ((now - written).timestamp(),) * 2)
        os.utime(folder, ((now - day).timestamp(),) * 2)
        if heard:
            host, _, pid = name.rpartition("-")
            Worker.objects.create(name=f"{host}:{pid}", pid=int(pid), device="cpu", heartbeat=now - heard)
    recovery.remove_spilled_features()
    assert {folder.name for folder in (tmp_path / "cache").iterdir()} == cases.keys() - {"pod-abc-7", "pod-abc-8"}


def test_the_page_is_told_of_the_workers(db: None, settings: Any) -> None:
    assert workers.status().text == "The worker is starting."
    workers.announce("cpu")
    assert workers.status().model_dump() == {"alive": True, "device": "cpu", "text": "Computing on cpu."}
    Worker.objects.update(heartbeat=timezone.now() - timedelta(seconds=30))
    assert workers.status().text == "The worker stopped. A new one is starting; rounds go on then."
    workers.beat()
    assert workers.status().alive
    Worker.objects.create(name="gpu:1", pid=1, device="cuda:0", heartbeat=timezone.now())
    assert workers.status().text == "2 workers compute on cpu, cuda:0."
    Worker.objects.all().delete()
    settings.TEAM_MODE = True
    assert "No worker is running" in workers.status().text


def test_a_worker_writes_one_row_however_often_it_starts(db: None) -> None:
    workers.announce("cpu")
    workers.announce("cuda:0")
    assert Worker.objects.get().device == "cuda:0"
    assert Worker.objects.get().pid == os.getpid()
    workers.withdraw()
    assert not Worker.objects.exists()
