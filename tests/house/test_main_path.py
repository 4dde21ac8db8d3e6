"""Tests of what every user does (draw, run a round, undo, export), with all processes, in embedded and in team mode."""

from __future__ import annotations

import io
import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import numpy as np
import psycopg
import pytest
import redis
from PIL import Image
from psycopg import sql

from tests import small_home
from tests.house.visitor import Visitor
from tests.small_home import PICTURES
from tests.studio import Studio, until
from webapp.videos.sample.clip import FRAMES

FAKE = {"MASKWRIGHT_ENGINES": "tests.segmentation.fake_engine"}
SCRIBBLE = [[0.3, 0.4], [0.4, 0.4], [0.4, 0.5]]


@pytest.fixture
def team() -> Iterator[dict[str, str]]:
    """Create a Postgres database, empty a database of Redis, and yield REDIS_URL and DATABASE_URL, which name them.

    Each test process (`pytest -n`) uses another database of the Redis server. Skip the test if there are no servers.
    """
    redis_url = os.environ.get("MASKWRIGHT_TEST_REDIS_URL")
    database_url = os.environ.get("MASKWRIGHT_TEST_DATABASE_URL")
    if not redis_url or not database_url:
        pytest.skip("no Redis and Postgres here: run it with .ci/with-services .venv/bin/pytest -m team")
    redis_url = f"{redis_url.rpartition('/')[0]}/{os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw')}"
    redis.Redis.from_url(redis_url).flushdb()
    name = f"maskwright_{uuid4().hex[:8]}"
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield {"REDIS_URL": redis_url, "DATABASE_URL": f"{database_url.rpartition('/')[0]}/{name}"}
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def walk_the_main_path(studio: Studio, count: int) -> None:
    """Draw, run two rounds, go back to the first and export it, on the sample video, which has `count` frames."""
    with Visitor(studio) as owner, owner.open(video := owner.sample_video()) as page:
        number = page.ask("object.add", name="Koi")
        page.ask("scribble.add", frame=10, object=number, path=SCRIBBLE)
        first = page.ask("round.run", frames=[10], engine="fake", base=None)
        assert first is not None
        done = page.round_in("done", first)
        page.masks_until(count)
        assert page.mask_frames[0] == 10  # The mask of the annotated frame comes first.
        assert sorted(page.mask_frames) == list(range(count))
        assert done["done"] == done["total"] == count

        page.ask("scribble.add", frame=20, object=number, path=[[0.6, 0.6]])
        second = page.ask("round.run", frames=[20], engine="fake", base=first)
        assert second is not None
        page.round_in("done", second)
        page.ask("head.move", from_round=second, to_round=first)
        export(owner, video, first, count)


def export(owner: Visitor, video: int, head: int, count: int) -> None:
    """Export a video in the DAVIS format and check that the zip has the same masks as the round `head`.

    `head` is the id of the round that the video stands at. It must have a mask of each of the `count` frames.
    """
    made = owner.call("POST", f"/videos/{video}/exports", format="davis")
    until(lambda: owner.call("GET", f"/exports/{made['id']}")["state"] in ("done", "failed"), "the export", 60)
    file = owner.http.get(f"/api/exports/{made['id']}/file")
    assert file.status_code == 200
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        exported = [np.array(Image.open(io.BytesIO(archive.read(name)))) for name in names]
    masks = owner.masks(head, count - 1)
    assert len(exported) == len(masks) == count
    for frame, labels in masks.items():
        assert labels.any()
        assert np.array_equal(exported[frame], labels)


def test_embedded(tmp_path: Path) -> None:
    small_home.fill(tmp_path)
    with Studio(tmp_path, **FAKE) as studio:
        walk_the_main_path(studio, PICTURES)


@pytest.mark.team
def test_over_redis_and_postgres(tmp_path: Path, team: dict[str, str]) -> None:
    """Walk the path on the sample video, which `serve` renders at its first start."""
    with Studio(tmp_path, **FAKE, **team) as studio:
        walk_the_main_path(studio, FRAMES)
        assert not (tmp_path / "maskwright.sqlite3").exists()


def test_a_round_goes_on_by_itself_when_its_worker_is_killed(tmp_path: Path) -> None:
    small_home.fill(tmp_path)
    with (
        Studio(tmp_path, **FAKE, FAKE_ENGINE_SLEEP="0.1") as studio,
        Visitor(studio) as owner,
        owner.open(owner.sample_video()) as page,
    ):
        number = page.ask("object.add", name="Koi")
        page.ask("scribble.add", frame=0, object=number, path=SCRIBBLE)
        made = page.ask("round.run", frames=[0], engine="fake", base=None)
        assert made is not None
        page.masks_until(15)
        worker = studio.children()["rounds"]
        worker.kill()
        killed = time.monotonic()
        until(lambda: studio.children().get("rounds", worker).pid != worker.pid, "a new worker", 5)
        assert httpx.get(f"{studio.address}/api/me").status_code == 401  # The web process still answers.
        page.until(lambda message: message["type"] == "worker" and not message["worker"]["alive"])
        page.until(lambda message: message["type"] == "worker" and message["worker"]["alive"])
        page.round_in("done", made, 90)
        masks = owner.masks(made, PICTURES - 1)
        assert sorted(masks) == list(range(PICTURES))
        page.masks_until(PICTURES)
        assert sorted(page.mask_frames) == list(range(PICTURES)), "lost or doubled"
        assert time.monotonic() - killed < 60
