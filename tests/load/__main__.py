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
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

import psutil

from maskwright.client import Maskwright
from tests import small_home
from tests.faults.services import own_services
from tests.house.test_main_path import FAKE
from tests.house.visitor import Visitor
from tests.latency.figures import Figure, percentile
from tests.load.annotators import Door, Measured, Start, annotate, listen
from tests.load.site import Rows, WebProcesses
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
    parser.add_argument("--processes", type=int, default=1, help="web processes; more than one need Redis and Postgres")
    parser.add_argument("--team", action="store_true", help="use Redis and Postgres for one web process, too")
    given = parser.parse_args()
    stop_on_sigterm()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f} before" + (" (others use this machine)" if load > 1 else ""))
    measured, figures = Measured(), []
    with ExitStack() as stack:
        home, variables = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maskwright-load-"))), dict(FAKE)
        if given.team or given.processes > 1:
            redis, postgres = stack.enter_context(own_services())
            variables |= {"REDIS_URL": redis.url, "DATABASE_URL": postgres.url}
        else:
            small_home.fill(home)
        studio = stack.enter_context(Studio(home, **variables))
        owner = stack.enter_context(Visitor(studio))
        webs = stack.enter_context(WebProcesses(studio, given.processes, variables))
        videos = bring_videos(studio, given.annotators)
        size = Size(given.annotators, given.seconds, given.idle)
        for figure in measure(webs, owner, videos, size, measured):
            figures.append(figure)
            print(figure, flush=True)
        rows = Rows(home, variables.get("DATABASE_URL"))
        stored = rows.strokes()
        figures.append(until_told(told_after(rows, measured.ended)))
        print(figures[-1])
    lost = len(measured.strokes - stored)
    print(
        f"{len(measured.strokes)} strokes acknowledged, {lost} of them lost, {measured.refused} messages refused, "
        f"{measured.closed} sockets closed by the server"
    )
    unmeasured = any(math.isnan(figure.value) for figure in figures)
    return 1 if lost or measured.closed or measured.refused or unmeasured else 0


def told_after(rows: Rows, told: dict[int, float]) -> list[float]:
    """Return the seconds from storing the end of each round, with its last masks, until a page was told of it.

    `told` maps ids of rounds to the times at which pages were told.
    """
    return [told[number] - at for number, at in rows.ends_of_rounds() if number in told]


def until_told(waits: list[float]) -> Figure:
    return Figure("A round is done to its page knows it, p95", 1000 * percentile(waits, 95), "ms", 250)


def bring_videos(studio: Studio, count: int) -> list[int]:
    """Upload a small video for each annotator, and return their ids when they are imported."""
    token = studio.manage("token", "owner", "load", "--write").split()[-1]
    path = write_zip(studio.home / "clip.zip", [(f"{n}.png", numbered_picture(n)) for n in range(PICTURES)])
    with Maskwright(studio.address, token) as site:
        project = site.project("Load")
        return [project.upload(path).id for _ in range(count)]


def measure(webs: WebProcesses, owner: Visitor, videos: list[int], size: Size, measured: Measured) -> Iterator[Figure]:
    cookie = "; ".join(f"{name}={value}" for name, value in owner.http.cookies.items())
    doors = [Door(address, cookie) for address in webs.addresses]
    cost = asyncio.run(_draw(doors, videos, size.seconds, measured, webs)) / (len(measured.strokes) or math.nan)
    acknowledged = 1000 * percentile(measured.acknowledged, 95)
    yield Figure(f"{size.people} annotators: stroke acknowledged, p95", acknowledged, "ms", 100)
    yield Figure("A round asked for to its first mask, p95", 1000 * percentile(measured.first_mask, 95), "ms")
    yield Figure("Strokes a second", len(measured.strokes) / size.seconds, "")
    yield Figure("Processor time of the web process for a stroke", 1000 * cost, "ms", 8)
    memory = asyncio.run(_listen(doors[0], videos, size.idle, measured, webs.processes[0]))
    yield Figure(f"Memory of the web process with {size.idle} idle sockets", memory / 2**20, "MB", 400)


async def _draw(doors: list[Door], videos: list[int], seconds: float, measured: Measured, webs: WebProcesses) -> float:
    """Let everybody draw, at the web processes by turns. Return the processor seconds that these processes needed,
    without those for opening the videos.
    """
    start = Start(len(videos), seconds)
    async with asyncio.TaskGroup() as people:
        for number, video in enumerate(videos):
            people.create_task(annotate(doors[number % len(doors)], video, start, measured))
        await start.wait()
        before = webs.processor_seconds()
    return webs.processor_seconds() - before


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


if __name__ == "__main__":
    sys.exit(main())
