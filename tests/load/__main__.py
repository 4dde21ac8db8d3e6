"""`make bench-load`: let many people draw on one web process, and print how long they wait for answers and masks.

The exit status is 1 if a scribble was acknowledged but not stored, a message was refused, a socket was closed, or a
figure could not be measured. A figure that misses its target is marked.
"""

# ruff: noqa: E402 (Django is set up before anything that needs it is imported)

from __future__ import annotations

import argparse
import asyncio
import math
import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

import psutil

from maskwright.client import Maskwright
from tests.house.test_main_path import FAKE
from tests.house.visitor import Visitor
from tests.latency.figures import Figure, percentile
from tests.load.annotators import Door, Measured, Start, annotate, listen
from tests.studio import Studio, stop_on_sigterm
from tests.webapp.videos.archives import numbered_picture, write_zip

PICTURES = 8


@dataclass(frozen=True)
class Size:
    """How many people draw for how many seconds, and how many sockets only listen."""

    people: int
    seconds: float
    idle: int


def main() -> int:
    parser = argparse.ArgumentParser(description="Simulated annotators on one web process, on this machine only.")
    parser.add_argument("--annotators", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--idle", type=int, default=1000, help="sockets that only listen")
    given = parser.parse_args()
    stop_on_sigterm()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f} before" + (" (others use this machine)" if load > 1 else ""))
    measured, figures = Measured(), []
    with (
        tempfile.TemporaryDirectory(prefix="maskwright-load-") as home,
        Studio(Path(home), **FAKE) as studio,
        Visitor(studio) as owner,
    ):
        videos = bring_videos(studio, given.annotators)
        for figure in measure(studio, owner, videos, Size(given.annotators, given.seconds, given.idle), measured):
            figures.append(figure)
            print(figure, flush=True)
        stored = stored_strokes(studio.home)
        figures.append(until_told(told_after(studio.home, measured.ended)))
        print(figures[-1])
    lost = len(measured.strokes - stored)
    print(
        f"{len(measured.strokes)} strokes acknowledged, {lost} of them lost, {measured.refused} messages refused, "
        f"{measured.closed} sockets closed by the server"
    )
    unmeasured = any(math.isnan(figure.value) for figure in figures)
    return 1 if lost or measured.closed or measured.refused or unmeasured else 0


def stored_strokes(home: Path) -> set[str]:
    """Return the keys of all scribbles in the database of the data folder `home`."""
    with closing(sqlite3.connect(home / "maskwright.sqlite3")) as rows:
        return {str(UUID(key)) for (key,) in rows.execute("SELECT key FROM annotation_scribble")}


def told_after(home: Path, told: dict[int, float]) -> list[float]:
    """Return the seconds from storing the end of each round, with its last masks, until a page was told of it.

    `told` maps ids of rounds to the times at which pages were told.
    """
    ended = "SELECT id, (julianday(finished_at) - 2440587.5) * 86400 FROM annotation_round WHERE finished_at NOT NULL"
    with closing(sqlite3.connect(home / "maskwright.sqlite3")) as rows:
        return [told[number] - at for number, at in rows.execute(ended) if number in told]


def until_told(waits: list[float]) -> Figure:
    return Figure("A round is done to its page knows it, p95", 1000 * percentile(waits, 95), "ms", 250)


def bring_videos(studio: Studio, count: int) -> list[int]:
    """Upload a small video for each annotator, and return their ids when they are imported."""
    token = studio.manage("token", "owner", "load", "--write").split()[-1]
    path = write_zip(studio.home / "clip.zip", [(f"{n}.png", numbered_picture(n)) for n in range(PICTURES)])
    with Maskwright(studio.address, token) as site:
        project = site.project("Load")
        return [project.upload(path).id for _ in range(count)]


def measure(studio: Studio, owner: Visitor, videos: list[int], size: Size, measured: Measured) -> Iterator[Figure]:
    web = studio.children()["web"]
    door = Door(studio.address, "; ".join(f"{name}={value}" for name, value in owner.http.cookies.items()))
    cost = asyncio.run(_draw(door, videos, size.seconds, measured, web)) / (len(measured.strokes) or math.nan)
    acknowledged = 1000 * percentile(measured.acknowledged, 95)
    yield Figure(f"{size.people} annotators: stroke acknowledged, p95", acknowledged, "ms", 100)
    yield Figure("A round asked for to its first mask, p95", 1000 * percentile(measured.first_mask, 95), "ms")
    yield Figure("Processor time of the web process for a stroke", 1000 * cost, "ms", 8)
    memory = asyncio.run(_listen(door, videos, size.idle, measured, web))
    yield Figure(f"Memory of the web process with {size.idle} idle sockets", memory / 2**20, "MB", 400)


async def _draw(door: Door, videos: list[int], seconds: float, measured: Measured, web: psutil.Process) -> float:
    """Let everybody draw. Return the processor seconds of the web process, without those for opening the videos."""
    start = Start(len(videos), seconds)
    async with asyncio.TaskGroup() as people:
        for video in videos:
            people.create_task(annotate(door, video, start, measured))
        await start.wait()
        before = _cpu(web)
    return _cpu(web) - before


async def _listen(door: Door, videos: list[int], count: int, measured: Measured, web: psutil.Process) -> int:
    """Open `count` sockets that only listen, and return the bytes of memory of the web process with them."""
    leave, entered = asyncio.Event(), asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as sockets:
        for number in range(count):
            sockets.create_task(listen(door, videos[number % len(videos)], leave, entered, measured))
            await entered.acquire()
        memory = int(web.memory_info().rss)
        leave.set()
    return memory


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    sys.exit(main())
