"""Tests that users can draw, ask for rounds and sign in while Redis hangs or is gone. Only the workers have to wait."""

from __future__ import annotations

import os
import shutil
import signal
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import redis

from tests import small_home
from tests.house.test_main_path import FAKE, SCRIBBLE, team  # noqa: F401 (a fixture)
from tests.house.visitor import Visitor
from tests.studio import Studio, free_port, until

pytestmark = pytest.mark.team
TYPICAL_SECONDS, WORST_SECONDS = 1.0, 4.0  # The worst is shorter than the time-outs for Redis.


class OwnRedis:
    """A Redis server that only one test uses, so that the test may suspend it or kill it."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(folder), "--save", ""]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(self._answers, "a Redis that answers")

    def _answers(self) -> bool:
        try:
            return bool(redis.Redis.from_url(self.url).ping())
        except redis.ConnectionError:
            return False

    def hang(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def own_redis(folder: Path) -> Iterator[OwnRedis]:
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server here")
    server = OwnRedis(folder)
    try:
        yield server
    finally:
        server.end()


def try_to_sign_in(studio: Studio) -> httpx.Response:
    """Sign in with a wrong password and return the response. The server counts the attempt in its cache in Redis."""
    with httpx.Client(base_url=studio.address, timeout=30) as http:
        http.get("/sign-in")
        headers = {"X-CSRFToken": http.cookies["csrftoken"]}
        return http.post("/api/sign-in", json={"username": "nobody", "password": "wrong one"}, headers=headers)


@pytest.mark.parametrize("fault", ["hangs", "is gone"])
def test_people_go_on_while_redis(tmp_path: Path, team: dict[str, str], fault: str) -> None:  # noqa: F811
    home = tmp_path / "home"
    small_home.fill(home, **team)
    with (
        own_redis(tmp_path) as server,
        Studio(home, **FAKE, **{**team, "REDIS_URL": server.url}) as studio,
        Visitor(studio) as owner,
        owner.open(video := owner.sample_video()) as runs,
        owner.open(video) as draws,
    ):
        number = draws.ask("object.add", name="Koi")
        runs.ask("scribble.add", frame=0, object=number, path=SCRIBBLE)
        server.hang() if fault == "hangs" else server.end()
        head = runs.ask("round.run", frames=[0], engine="fake", base=None)
        seconds = []
        for frame in range(1, 13):  # More rounds than the web process has threads
            began = time.monotonic()
            draws.ask("scribble.add", frame=frame, object=number, path=SCRIBBLE)
            seconds.append(time.monotonic() - began)
            head = runs.ask("round.run", frames=[frame], engine="fake", base=head)
        assert statistics.median(seconds) < TYPICAL_SECONDS
        assert max(seconds) < WORST_SECONDS
        answer = try_to_sign_in(studio)
        assert answer.status_code in (400, 403), answer.text
        assert "password" in answer.text.lower()
        if fault == "hangs":
            server.go_on()
            assert head is not None
            runs.round_in("done", head, 60)
