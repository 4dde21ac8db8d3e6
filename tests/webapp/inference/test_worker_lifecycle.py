"""Tests of a worker's heartbeat thread, which also runs sweeps: the thread goes on if a heartbeat or a sweep fails.

Other tests are that a worker and a web process do not start with files of another site.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError
from structlog.testing import capture_logs

from webapp import asgi
from webapp.inference import worker_lifecycle
from webapp.inference.models import Worker
from webapp.storage.failure import StorageAway
from webapp.storage.site_id import WrongFiles

STEPS = ["sweep_imports", "forget_old", "sweep_scores"]


@pytest.fixture
def ran(transactional_db: None, sent_tasks: list[Any], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace some steps of the heartbeat thread by functions that only add a name to the list that is returned.

    The thread waits only 10 ms between two runs of its steps.
    """
    names: list[str] = []
    for name in STEPS:
        monkeypatch.setattr(worker_lifecycle, name, lambda name=name, **how: names.append(name))
    for name in ("ROUNDS", "EXPORTS"):
        lease = getattr(worker_lifecycle, name)
        monkeypatch.setattr(lease, "sweep", lambda name=name, **how: names.append(name))
    monkeypatch.setattr(worker_lifecycle.recovery, "remove_spilled_features", lambda: None)
    for name in ("BEAT_SECONDS", "SWEEP_SECONDS", "TIDY_SECONDS"):
        monkeypatch.setattr(worker_lifecycle, name, 0.01)
    return names


def beat_until(wanted: Any) -> None:
    heartbeat = worker_lifecycle.WorkerHeartbeat("cpu")
    heartbeat.start()
    try:
        for _ in range(500):
            if wanted():
                return
            time.sleep(0.01)
        raise AssertionError("it did not come to that")
    finally:
        heartbeat.stop()


@pytest.mark.parametrize("error", [PermissionError("importing-1-1"), ValueError("a row that nobody thought of")])
def test_a_step_that_fails_holds_up_no_other(ran: list[str], monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(**how: Any) -> None:
        raise error

    monkeypatch.setattr(worker_lifecycle, "sweep_imports", fail)
    monkeypatch.setattr(worker_lifecycle, "forget_old", fail)
    with capture_logs() as logs:
        beat_until(lambda: ran.count("EXPORTS") > 1 and ran.count("sweep_scores") > 1)
    assert {(log_entry["event"], log_entry["error"]) for log_entry in logs} == {("heartbeat_step_failed", str(error))}


def test_a_worker_announces_itself_as_soon_as_it_can(ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    real, tries = worker_lifecycle.workers.announce, []

    def announce(device: str) -> None:
        tries.append(device)
        if len(tries) < 3:
            raise OSError("not yet")
        real(device)

    monkeypatch.setattr(worker_lifecycle.workers, "announce", announce)
    beat_until(lambda: Worker.objects.exists())
    assert len(tries) == 3
    assert not Worker.objects.exists(), "the worker deletes its row when it ends"


@pytest.mark.parametrize("module", [worker_lifecycle, asgi])
def test_wrong_files_stop_a_program_and_a_storage_that_is_away_does_not(
    module: Any, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.connection, "close", lambda: None)
    for error, expected in (
        (StorageAway("gone"), None),
        (OperationalError("gone"), None),
        (WrongFiles("Not theirs.", "Correct it."), (SystemExit, WrongFiles)),
    ):
        monkeypatch.setattr(module, "refuse_wrong_files", Mock(side_effect=error))
        with nullcontext() if expected is None else pytest.raises(expected):
            module._refuse_wrong_files()
