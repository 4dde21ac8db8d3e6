"""`python -m tests.load.fairness`: how long the long round of one project holds back the first masks of another one.

A worker computes a long round with a real engine. Meanwhile somebody draws on short videos of another project, one by
one, and waits for each first mask. The exit status is 1 if a first mask came more than 2 s later than it does without
the long round.
"""

# ruff: noqa: E402 (Django is set up before anything that needs it is imported)

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from maskwright.client import Maskwright, Project
from segmentation.evaluation.measure_engines.long_video import LongVideo
from tests.house.visitor import VideoVisit, Visitor
from tests.latency.figures import Figure, spread
from tests.load.long_video import reading, write_clip
from tests.studio import Studio, stop_on_sigterm

SHORT_FRAMES = 8


def main() -> int:
    parser = argparse.ArgumentParser(description="First masks beside a long round, on this machine only.")
    parser.add_argument("--engine", default="star")
    parser.add_argument("--frames", type=int, default=400, help="frames of the long round (400)")
    parser.add_argument("--tries", type=int, default=5)
    given = parser.parse_args()
    stop_on_sigterm()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f} before" + (" (others use this machine)" if load > 1 else ""))
    missed = 0
    with (
        tempfile.TemporaryDirectory(prefix="maskwright-fairness-") as home,
        Studio(Path(home), MASKWRIGHT_WARM_UP="1") as studio,
        Visitor(studio) as owner,
    ):
        for figure in measure(studio, owner, given.engine, given.frames, given.tries):
            print(figure, flush=True)
            missed += not figure.reached
    return 1 if missed else 0


def measure(studio: Studio, owner: Visitor, engine: str, frames: int, tries: int) -> Iterator[Figure]:
    """Yield how long a person waits for the first mask of a round: while nothing else runs, while a long round runs in
    another project, and the difference.
    """
    token = studio.manage("token", "owner", "fairness", "--write").split()[-1]
    with Maskwright(studio.address, token) as site:
        (long,) = upload(site.project("Batch"), studio.home, frames, 1)
        warm, *short = upload(site.project("Other"), studio.home, SHORT_FRAMES, 2 * tries + 1)
    first_mask(owner, warm, SHORT_FRAMES, engine)  # Loads the networks.
    alone = [first_mask(owner, video, SHORT_FRAMES, engine) for video in short[:tries]]
    yield Figure("First mask of a new video alone, worst", max(alone), "s", note=spread(alone))
    with owner.open(long) as page:
        batch = run(page, frames, engine)
        page.masks_until(3)
    with reading(owner.open(long)):
        beside = [first_mask(owner, video, SHORT_FRAMES, engine) for video in short[tries:]]
    assert owner.call("GET", f"/rounds/{batch}")["state"] == "running", "the long round ended before the last try"
    with owner.open(long) as page:
        page.ask("round.cancel", round=batch)
    yield Figure("First mask beside a long round, worst", max(beside), "s", note=spread(beside))
    yield Figure("Held back by the long round, worst", max(beside) - statistics.median(alone), "s", 2)


def upload(project: Project, folder: Path, frames: int, count: int) -> list[int]:
    """Upload a video of `frames` frames `count` times, and return the ids of the videos."""
    clip = write_clip(folder / f"{frames}.mp4", frames)
    return [project.upload(clip).id for _ in range(count)]


def first_mask(owner: Visitor, video: int, frames: int, engine: str) -> float:
    """Add an object to a video, draw it and run a round. Wait until that is done.

    Return the seconds from the beginning of this until the first mask arrived.
    """
    with owner.open(video) as page:
        began = time.monotonic()
        made = run(page, frames, engine)
        page.masks_until(1, 120)
        seconds = time.monotonic() - began
        page.round_in("done", made, 300)
    return seconds


def run(page: VideoVisit, frames: int, engine: str) -> int:
    """Draw a scribble in the middle of a new video, and run a round with it. Return the id of the round."""
    number, frame = page.ask("object.add", name="Disc"), frames // 2
    (scribble,) = LongVideo(frames).stroke(frame).scribbles
    page.ask("scribble.add", frame=frame, object=number, path=scribble.path.tolist())
    made = page.ask("round.run", frames=[frame], engine=engine, base=None)
    assert made is not None
    return made


if __name__ == "__main__":
    sys.exit(main())
