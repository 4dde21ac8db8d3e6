"""Tests of a worker's heartbeat thread, which also runs sweeps: the thread goes on if a heartbeat or a sweep fails.

Another test is that a worker does not start with files of another site.
"""

from __future__ import annotations

import time
from typing import Any
from unittest.mock import Mock

import pytest
from structlog.testing import capture_logs

from webapp.inference import worker_lifecycle
from webapp.inference.models import Worker
from webapp.storage.failure import WrongFiles

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


def test_wrong_files_stop_a_worker(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = Mock(side_effect=WrongFiles("Not theirs.", "Correct it."))
    monkeypatch.setattr(worker_lifecycle, "refuse_wrong_files_or_later", wrong)
    with pytest.raises(SystemExit) as ended:
        worker_lifecycle._refuse_wrong_files()
    assert (ended.value.code, capsys.readouterr().err) == (2, "maskwright: Not theirs. Correct it.\n")
