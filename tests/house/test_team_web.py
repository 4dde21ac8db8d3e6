"""Tests of team mode on one database and one Redis: two web processes, two workers, and many requests at once."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from websockets.sync.client import connect

from tests import small_home
from tests.house.test_main_path import FAKE, SCRIBBLE, team  # noqa: F401 (a fixture)
from tests.house.visitor import VideoVisit, Visitor
from tests.small_home import PICTURES
from tests.studio import MANAGE, Studio, environment_of, free_port, until
from webapp.configuration import POOL_SECONDS


@contextmanager
def second_web_process(home: Path, **variables: str) -> Iterator[str]:
    """Start another web process on the same data folder and database, and yield its address. Stop it at the end."""
    port = str(free_port())
    address = f"http://127.0.0.1:{port}"
    environment = environment_of(home, MASKWRIGHT_PORT=port, **variables)
    process = subprocess.Popen([sys.executable, str(MANAGE), "web"], env=environment)
    try:
        with httpx.Client(base_url=address) as http:
            until(lambda: process.poll() is not None or _answers(http), "the second web process")
        assert process.poll() is None
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _answers(http: httpx.Client) -> bool:
    try:
        return http.get("/plain.css").status_code == 200
    except httpx.TransportError:
        return False


def open_at(address: str, visitor: Visitor, video: int) -> VideoVisit:
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.http.cookies.items())
    own_origin: Any = address
    where = address.replace("http://", "ws://")
    return VideoVisit(connect(f"{where}/ws/videos/{video}", origin=own_origin, additional_headers={"Cookie": cookies}))


@pytest.mark.team
def test_pages_at_two_web_processes_see_each_other(tmp_path: Path, team: dict[str, str]) -> None:  # noqa: F811
    small_home.fill(tmp_path, **team)
    with (
        Studio(tmp_path, **FAKE, **team) as studio,
        second_web_process(tmp_path, **FAKE, **team) as other,
        Visitor(studio) as owner,
        owner.open(video := owner.sample_video()) as here,
        open_at(other, owner, video) as there,
    ):
        number = here.ask("object.add", name="Koi")
        here.ask("scribble.add", frame=3, object=number, path=SCRIBBLE)
        stored = time.monotonic()
        assert there.wait("scribble.added")["scribble"]["frame"] == 3
        assert time.monotonic() - stored < 0.8, (
            "the page was not notified, but found the scribble by its poll, which comes once a second"
        )
        here.socket.send('{"type": "looking", "frame": 32}')
        there.until(
            lambda message: (
                message["type"] == "presence" and [viewer["frame"] for viewer in message["viewers"]] == [32]
            ),
            10,
        )
        made = there.ask("round.run", frames=[3], engine="fake", base=None)
        assert made is not None
        for page in (here, there):
            page.round_in("done", made)
            page.masks_until(PICTURES)
            assert sorted(page.mask_frames) == list(range(PICTURES))


@contextmanager
def second_worker(home: Path, **variables: str) -> Iterator[None]:
    command = [sys.executable, str(MANAGE), "worker", "--queue", "rounds", "--child"]
    environment = environment_of(home, **variables)
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.mark.team
def test_a_follow_up_round_goes_to_the_worker_that_has_the_session(
    tmp_path: Path,
    team: dict[str, str],  # noqa: F811
) -> None:
    small_home.fill(tmp_path, **team)
    with (
        Studio(tmp_path, **FAKE, **team) as studio,
        second_worker(tmp_path, **FAKE, **team),
        Visitor(studio) as owner,
        owner.open(owner.sample_video()) as page,
        psycopg.connect(team["DATABASE_URL"], autocommit=True) as rows,
    ):

        def alive() -> bool:
            found = rows.execute("SELECT count(*) FROM inference_worker").fetchone()
            return found is not None and found[0] == 2

        until(alive, "two workers", 60)
        number = page.ask("object.add", name="Koi")
        head = None
        for frame in range(6):
            page.ask("scribble.add", frame=frame, object=number, path=SCRIBBLE)
            head = page.ask("round.run", frames=[frame], engine="fake", base=head)
            assert head is not None
            page.round_in("done", head)
        found = rows.execute("SELECT count(*), count(DISTINCT worker) FROM annotation_round").fetchone()
        assert found == (6, 1)


@pytest.mark.team
def test_two_hundred_requests_at_once_need_few_connections(tmp_path: Path, team: dict[str, str]) -> None:  # noqa: F811
    """Postgres allows 100 connections by default, so the web process must not open a connection for each request."""
    small_home.fill(tmp_path, **team)
    with (
        Studio(tmp_path, **FAKE, **team) as studio,
        Visitor(studio) as owner,
        psycopg.connect(team["DATABASE_URL"], autocommit=True) as rows,
        ThreadPoolExecutor(200) as visitors,
        httpx.Client(
            base_url=studio.address, cookies=owner.http.cookies, timeout=60, limits=httpx.Limits(max_connections=200)
        ) as http,
    ):

        def ask(_: int) -> tuple[int, bool]:
            answer = http.get("/api/projects")
            waited = answer.elapsed.total_seconds() >= POOL_SECONDS and "Retry-After" in answer.headers
            return answer.status_code, waited

        answers = list(visitors.map(ask, range(400)))
        # On a busy machine a request may wait for a connection as long as it is allowed to, and is refused then.
        assert [answer for answer in answers if answer != (200, False) and answer != (503, True)] == []
        assert answers.count((200, False)) > 200
        found = rows.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()").fetchone()
        assert found is not None
        assert found[0] < 60
