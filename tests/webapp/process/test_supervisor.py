"""Tests of the supervisor, which starts and restarts child processes. The children must end when it is killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from webapp.process import supervisor as module
from webapp.process.supervisor import Program, Supervisor

WAITS = "import sys; from webapp.process.lifeline import follow_parent; follow_parent(); import time; time.sleep(60)"
NOTES = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); "


def until(true: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


@contextmanager
def running(*programs: Program) -> Iterator[tuple[Supervisor, list[str]]]:
    said: list[str] = []
    supervisor = Supervisor(programs, said.append)
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    try:
        yield supervisor, said
    finally:
        supervisor.stop()
        thread.join(15)
        assert not thread.is_alive()


def noting(path: Path, code: str, name: str = "It", reloads: bool = True) -> Program:
    """Return a program that appends its process id to the file `path` and then runs `code` (Python)."""
    return Program(name, (sys.executable, "-c", NOTES + code, str(path)), reloads=reloads)


def pids(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_child_that_is_killed_comes_back_within_seconds(tmp_path: Path) -> None:
    notes = tmp_path / "pids"
    with running(noting(notes, "time.sleep(60)")) as (_, said):
        until(lambda: len(pids(notes)) == 1)
        killed = time.monotonic()
        os.kill(pids(notes)[0], signal.SIGKILL)
        until(lambda: len(pids(notes)) == 2)
        assert time.monotonic() - killed < 5
        assert "was killed" in said[0]
    assert not any(alive(pid) for pid in pids(notes))


def test_a_child_that_dies_at_once_is_not_started_in_a_hurry(tmp_path: Path) -> None:
    notes = tmp_path / "pids"
    with running(noting(notes, "sys.exit(3)")) as (_, said):
        until(lambda: len(said) >= 3)
    assert ["in 0.5 s" in said[0], "in 1.0 s" in said[1], "in 2.0 s" in said[2]] == [True] * 3
    assert "ended with status 3" in said[0]


def test_one_child_that_dies_leaves_the_others_alone(tmp_path: Path) -> None:
    steady, shaky = tmp_path / "steady", tmp_path / "shaky"
    with running(noting(steady, "time.sleep(60)"), noting(shaky, "sys.exit(1)")):
        until(lambda: len(pids(shaky)) >= 2 and len(pids(steady)) >= 1)
        assert len(pids(steady)) == 1
        assert alive(pids(steady)[0])


def test_a_child_that_will_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.5)
    notes = tmp_path / "pids"
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); open(sys.argv[1], 'a').write('\\n'); "
    with running(noting(notes, stubborn + "time.sleep(60)")):
        until(lambda: notes.exists() and notes.read_text().endswith("\n\n"))
    assert not alive(pids(notes)[0])


def test_restart_ends_only_what_reloads(tmp_path: Path) -> None:
    code, page = tmp_path / "code", tmp_path / "page"
    with running(noting(code, "time.sleep(60)"), noting(page, "time.sleep(60)", reloads=False)) as (supervisor, _):
        until(lambda: len(pids(code)) == len(pids(page)) == 1)
        supervisor.restart()
        until(lambda: len(pids(code)) == 2)
        assert len(pids(page)) == 1


def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    """A killed supervisor cannot stop its children, so they must notice by themselves that it is gone."""
    notes = tmp_path / "pids"
    parent_code = (
        "import sys; from webapp.process.supervisor import Program, Supervisor; "
        f"Supervisor([Program('It', (sys.executable, '-c', {NOTES + WAITS!r}, {str(notes)!r}))], print).run()"
    )
    parent = subprocess.Popen([sys.executable, "-c", parent_code])
    try:
        until(lambda: len(pids(notes)) == 1)
        child = pids(notes)[0]
        time.sleep(0.5)
        assert alive(child)
    finally:
        parent.kill()
        parent.wait()
    until(lambda: not alive(child), seconds=10)
