"""`python -m tests.load.memory` measures whether the memory of the processes grows with the work that they have done.

A worker computes many rounds of many videos, and the web process stores many strokes. After each quarter of that work
the program prints the memory of the process. The exit status is 1 if it grew too much in the second half of the work.
"""

# ruff: noqa: E402 (Django is set up before anything that needs it is imported)

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from maskwright.client import Maskwright, Video
from tests.house.test_main_path import SCRIBBLE
from tests.house.visitor import Visitor
from tests.latency.figures import Figure
from tests.load.annotators import Door, Measured, Page
from tests.load.long_video import megabytes_of, write_clip
from tests.studio import Studio, stop_on_sigterm

CLIP_FRAMES = 24
SESSIONS_MB = 256  # So small that the worker must close sessions all the time.
WORKER_GROWTH_MB, WEB_GROWTH_MB = 100.0, 30.0  # From the half of the work to its end.
PAUSE_SECONDS = 1 / 30  # Between two strokes of a socket; the web process accepts forty a second.


def main() -> int:
    parser = argparse.ArgumentParser(description="Memory over many rounds and strokes, on this machine only.")
    parser.add_argument("--videos", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--engine", default="flow")
    parser.add_argument("--strokes", type=int, default=10_000)
    given = parser.parse_args()
    if given.rounds < 4:
        parser.error("--rounds: at least 4, because memory is measured after each quarter of them")
    stop_on_sigterm()
    with (
        tempfile.TemporaryDirectory(prefix="maskwright-memory-") as home,
        Studio(Path(home), MASKWRIGHT_SESSIONS_MB=str(SESSIONS_MB)) as studio,
        Visitor(studio) as owner,
        Maskwright(studio.address, studio.manage("token", "owner", "memory", "--write").split()[-1]) as site,
    ):
        clip = write_clip(studio.home / "clip.mp4", CLIP_FRAMES)
        project = site.project("Memory")
        videos = [project.upload(clip) for _ in range(given.videos)]
        figures = [
            worker_growth(studio, videos, given.rounds, given.engine),
            web_growth(studio, owner, [video.id for video in videos], given.strokes),
        ]
    return 0 if all(figure.reached for figure in figures) else 1


def worker_growth(studio: Studio, videos: list[Video], rounds: int, engine: str) -> Figure:
    """Compute rounds of the videos by turns, and return how much the worker grew in the second half of them."""
    objects = {video.id: video.add_object("Disc") for video in videos}
    watch = Watch(studio, "rounds", rounds)
    for number in range(rounds):
        video = videos[number % len(videos)]
        video.scribble(number % CLIP_FRAMES, objects[video.id], [(float(x), float(y)) for x, y in SCRIBBLE])
        video.run(engine=engine)
        watch.done()
    return watch.growth(f"{rounds} rounds of {len(videos)} videos", WORKER_GROWTH_MB)


def web_growth(studio: Studio, owner: Visitor, videos: list[int], strokes: int) -> Figure:
    """Draw on the videos, each over a socket of its own, and return how much the web process grew in the second
    half.
    """
    door = Door(studio.address, "; ".join(f"{name}={value}" for name, value in owner.http.cookies.items()))
    each = max(4, strokes // len(videos))
    watch = Watch(studio, "web", each * len(videos))
    asyncio.run(_draw_all(door, videos, each, watch.done))
    return watch.growth(f"{strokes} strokes", WEB_GROWTH_MB)


async def _draw_all(door: Door, videos: list[int], each: int, done: Callable[[], None]) -> None:
    async with asyncio.TaskGroup() as people:
        for video in videos:
            people.create_task(_draw(door, video, each, done))


async def _draw(door: Door, video: int, count: int, done: Callable[[], None]) -> None:
    async with door.open(video) as socket:
        page = Page(socket, Measured())
        await page.enter()
        for number in range(count):
            answer = await page.ask("scribble.add", frame=number % CLIP_FRAMES, object=1, path=SCRIBBLE)
            assert answer["type"] == "ack", answer
            done()
            await asyncio.sleep(PAUSE_SECONDS)
        page.leave()


class Watch:
    """Measures the memory of a process, whose name is `name`, at the start and after each quarter of the work.

    The work has `total` pieces, such as rounds or strokes.
    """

    def __init__(self, studio: Studio, name: str, total: int) -> None:
        self._process, self._name, self._total = studio.children()[name], name, total
        self._count = 0
        self._quarters = [self._measured()]

    def done(self) -> None:
        """Count a piece of work that is done, and measure the memory after each quarter of the work."""
        self._count += 1
        if 4 * self._count // self._total > len(self._quarters) - 1:
            self._quarters.append(self._measured())

    def growth(self, work: str, most: float) -> Figure:
        """Return how much the memory grew in the second half of the work. The target is at most `most` megabytes."""
        grown = self._quarters[4] - self._quarters[2]
        figure = Figure(f"Growth of {self._name}, second half of {work}", grown, "MB", most)
        print(figure, flush=True)
        return figure

    def _measured(self) -> float:
        megabytes = megabytes_of(self._process)
        print(f"{self._name}: {self._count} of {self._total}: {megabytes:.0f} MB", flush=True)
        return megabytes


if __name__ == "__main__":
    sys.exit(main())
