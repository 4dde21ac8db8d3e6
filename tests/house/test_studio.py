"""Tests of the command `manage.py serve`: its processes, signals, ports and messages."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests import small_home
from tests.studio import MANAGE, Studio, environment_of, free_port, until
from webapp.process.listening import listen


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def run_studio(home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py serve`, which is expected to refuse to start, and return how it ended and what it printed."""
    return subprocess.run(
        [sys.executable, str(MANAGE), "serve", "--no-sample"],
        env=environment_of(home, **variables),
        capture_output=True,
        text=True,
        timeout=60,
    )


def is_another(studio: Studio, name: str, pid: int) -> bool:
    """Return whether the child process called `name` runs and has another process id than `pid`."""
    child = studio.children().get(name)
    return child is not None and child.pid != pid


def test_it_starts_lets_in_brings_back_what_is_killed_and_bears_no_second_web_process(tmp_path: Path) -> None:
    with Studio(tmp_path, "--no-sample") as studio:
        assert studio.link is not None
        assert status(studio.link) in (200, 503)  # The answer is 503 if the page is not built.
        assert status(studio.link) == 410
        until(lambda: len(studio.children()) == 3, "three children")
        for name in ("rounds", "web"):
            before = studio.children()[name]
            before.kill()
            until(partial(is_another, studio, name, before.pid), f"a new {name}")
            assert status(f"{studio.address}/api/me") == 401  # The request waits until the new process runs.
        assert "was killed" in studio.text
        again = run_studio(tmp_path)
        assert again.returncode != 0
        assert f"already runs on this data at {studio.address}" in again.stderr
        for program in ((str(MANAGE), "web"), ("-m", "uvicorn", "webapp.asgi:application", "--port", str(free_port()))):
            second = run(tmp_path, program, {"MASKWRIGHT_PORT": str(free_port())})
            assert second.returncode != 0
            assert "For several web processes set REDIS_URL and DATABASE_URL" in second.stderr
    assert studio.process.returncode == 0
    assert "Traceback" not in studio.text


def test_no_child_is_left_when_it_is_killed_and_the_next_start_makes_no_second_owner(tmp_path: Path) -> None:
    with Studio(tmp_path, "--no-sample") as first:
        assert first.link is not None
        until(lambda: len(first.children()) == 3, "three children")
        time.sleep(3)  # The workers have started by then.
        children = first.children()
        os.kill(first.process.pid, signal.SIGKILL)
        until(lambda: not any(map(alive, children.values())), "the end of every child", 15)
    key = (tmp_path / "secret_key").read_text()
    with Studio(tmp_path, "--no-sample") as second:
        assert second.link is not None  # Without a password, a link is the only way to sign in.
        assert second.link.rpartition("/")[2] != first.link.rpartition("/")[2]
    assert (tmp_path / "secret_key").read_text() == key


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_port_that_was_asked_for_and_is_taken_is_said(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0, may_move=False) as taken:
        port = str(taken.getsockname()[1])
        refused = run_studio(tmp_path, MASKWRIGHT_PORT=port)
    assert refused.returncode != 0
    assert f"Port {port} is taken" in refused.stderr


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"REDIS_URL": "redis://127.0.0.1/0"}, "DATABASE_URL is not: team mode needs both"),
        ({"MASKWRIGHT_HOST": "0.0.0.0", "MASKWRIGHT_DEBUG": "1"}, "MASKWRIGHT_DEBUG=1 shows the insides"),
        ({"MASKWRIGHT_HOST": "0.0.0.0"}, "MASKWRIGHT_ALLOWED_HOSTS lets only this machine ask"),
        ({"MASKWRIGHT_HTTPS": "1"}, "MASKWRIGHT_HTTPS=1 lets nobody sign in over plain http"),
        ({"MASKWRIGHT_MAX_FRAMES": "many"}, "MASKWRIGHT_MAX_FRAMES='many' cannot be used; wanted: a number"),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_do(tmp_path: Path, variables: dict[str, str], sentence: str) -> None:
    refused = run_studio(tmp_path, **{"MASKWRIGHT_PORT": str(free_port()), **variables})
    assert refused.returncode != 0
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr


AWAY = {"DATABASE_URL": "postgres://jo:hidden@127.0.0.1:1/masks", "REDIS_URL": "redis://127.0.0.1:1/0"}
WRONG = [
    ({"MASKWRIGHT_SECRET_KEY": "a"}, "MASKWRIGHT_SECRET_KEY cannot be used: it can be guessed"),
    ({"MASKWRIGHT_ALLOWED_HOSTS": "*"}, "MASKWRIGHT_ALLOWED_HOSTS='*' cannot be used"),
    ({"MASKWRIGHT_TRUSTED_ORIGINS": "example.org"}, "MASKWRIGHT_TRUSTED_ORIGINS='example.org' cannot be used"),
    ({**AWAY, "DATABASE_URL": "mysql://x"}, "DATABASE_URL cannot be used: it must begin with postgres://"),
    ({**AWAY, "REDIS_URL": "redis://h:x"}, "REDIS_URL cannot be used: it cannot be read"),
]


@pytest.mark.parametrize(("variables", "sentence"), WRONG)
@pytest.mark.parametrize(
    "program",
    [
        (str(MANAGE), "migrate"),
        ("-m", "uvicorn", "webapp.asgi:application"),
        ("-m", "celery", "-A", "webapp", "worker"),
    ],
    ids=["manage", "uvicorn", "celery"],
)
def test_a_wrong_setting_ends_every_program_with_one_sentence_and_status_2(
    tmp_path: Path, variables: dict[str, str], sentence: str, program: tuple[str, ...]
) -> None:
    refused = run(tmp_path, program, variables)
    assert refused.returncode == 2
    assert sentence in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_a_database_that_does_not_answer_ends_a_command_with_one_sentence_and_status_2(tmp_path: Path) -> None:
    refused = run(tmp_path, (str(MANAGE), "migrate"), AWAY)
    assert refused.returncode == 2
    assert "the database that DATABASE_URL names cannot be used" in refused.stderr
    assert "hidden" not in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_a_database_without_tables_ends_a_command_with_what_to_do(tmp_path: Path) -> None:
    refused = run(tmp_path, (str(MANAGE), "sign_in_link", "nobody"), {})
    assert refused.returncode == 2
    assert "Run `manage.py migrate`" in refused.stderr


@pytest.mark.parametrize(
    "program", [("serve", "--no-sample"), ("worker", "--queue", "rounds")], ids=["serve", "worker"]
)
def test_a_gpu_that_is_not_here_ends_what_would_compute_on_it_before_it_claims_rounds(
    tmp_path: Path, program: tuple[str, ...]
) -> None:
    small_home.fill(tmp_path)
    refused = run(tmp_path, (str(MANAGE), *program), {"MASKWRIGHT_DEVICE": "cuda:99"})
    assert refused.returncode == 2
    (said,) = refused.stderr.strip().splitlines()
    assert "MASKWRIGHT_DEVICE='cuda:99' cannot be used: 'cuda:99' asks for a GPU, " in said
    assert "Set it to auto, cpu or a GPU that is here" in said


def run(home: Path, program: tuple[str, ...], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *program]
    environment = environment_of(home, **variables)
    return subprocess.run(command, env=environment, cwd=MANAGE.parent, capture_output=True, text=True, timeout=120)
