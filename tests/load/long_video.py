"""`python -m tests.load.long_video`: how much memory every process needs for a video of 20,000 frames.

The program imports the video, computes a round of it, and opens it again. After each quarter of the frames of the round
it prints the memory of every process, which shows whether memory grows with the frames. The exit status is 1 if a
process needs more than its limit or a frame has no mask.
"""

# ruff: noqa: E402 (Django is set up before anything that needs it is imported)

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

import av
import psutil

from maskwright.client import Maskwright, Progress, Video
from segmentation.evaluation.measure_engines.long_video import LongVideo
from tests.house.visitor import VideoVisit, Visitor
from tests.latency.figures import Figure
from tests.studio import Studio, stop_on_sigterm

LIMITS_MB = {"web": 400.0, "rounds": 3072.0, "media": 2048.0}  # For the worker of rounds: MASKWRIGHT_SESSIONS_MB.
SAMPLE_SECONDS = 0.5


def main() -> int:
    parser = argparse.ArgumentParser(description="Memory of every process with one long video, on this machine only.")
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--engine", default="flow")
    parser.add_argument("--max-side", type=int, default=0, help="MASKWRIGHT_MAX_SIDE: compute in smaller pictures")
    given = parser.parse_args()
    stop_on_sigterm()
    missed = 0
    with tempfile.TemporaryDirectory(prefix="maskwright-long-") as folder:
        clip = write_clip(Path(folder) / "clip.mp4", given.frames)
        settings = {"MASKWRIGHT_MAX_FRAMES": str(given.frames), "MASKWRIGHT_MAX_SIDE": str(given.max_side)}
        with Studio(Path(folder) / "home", **settings) as studio, Visitor(studio) as owner:
            for figure in measure(studio, owner, clip, given.engine, given.frames):
                print(figure, flush=True)
                missed += not figure.reached
    return 1 if missed else 0


def write_clip(path: Path, frames: int) -> Path:
    """Encode the frames of `LongVideo` (480x854, a disc in front of a panning texture), and return the path."""
    pictures = LongVideo(frames)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.pix_fmt, stream.height, stream.width = "yuv420p", pictures.height, pictures.width
        for index in range(frames):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pictures[index], format="rgb24")))
        file.mux(stream.encode())
    return path


def measure(studio: Studio, owner: Visitor, clip: Path, engine: str, frames: int) -> Iterator[Figure]:
    """Import the video file `clip`, compute a round, and open the video again. Yield figures of time and memory."""
    token = studio.manage("token", "owner", "long", "--write").split()[-1]
    with Maskwright(studio.address, token) as site, Memory(studio) as memory:
        project = site.project("Long")
        began = time.monotonic()
        video = project.upload(clip)
        yield Figure(f"Import of {frames} frames", time.monotonic() - began, "s")
        yield from memory.peaks("import")

        page = owner.open(video.id)
        with reading(page):
            began = time.monotonic()
            draw(video, frames // 2)
            video.run(engine=engine, progress=memory.quarters())
            yield Figure(f"A round of {engine}, a frame", 1000 * (time.monotonic() - began) / frames, "ms")
        yield from memory.peaks("round")
        yield Figure("Frames without a mask", frames - len(set(page.mask_frames)), "", 0)

        began = time.monotonic()
        state = owner.http.get(f"/api/videos/{video.id}/state")
        yield Figure("State of the video", len(state.content) / 1000, "kB")
        pages = [owner.open(video.id) for _ in range(5)]
        yield Figure("State and five more sockets", time.monotonic() - began, "s")
        with reading(*pages):
            time.sleep(5)
        yield from memory.peaks("opened")


def draw(video: Video, frame: int) -> None:
    """Draw a scribble across the disc that the video shows, in `frame`."""
    (scribble,) = LongVideo(frame + 1).stroke(frame).scribbles
    video.scribble(frame, video.add_object("Disc"), [(float(x), float(y)) for x, y in scribble.path])


@contextmanager
def reading(*pages: VideoVisit) -> Iterator[None]:
    """Read what arrives at the sockets in threads, as browsers do, while the block runs. Close them at the end."""
    ended = threading.Event()

    def read(page: VideoVisit) -> None:
        with page:
            while not ended.is_set():
                with suppress(AssertionError):
                    page.masks_until(sys.maxsize, 0.5)

    threads = [threading.Thread(target=read, args=(page,)) for page in pages]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


class Memory:
    """Watches the resident memory of the processes of a site in a thread. Child processes count with their parents."""

    def __init__(self, studio: Studio) -> None:
        self._processes = studio.children()
        self._peaks = dict.fromkeys(self._processes, 0.0)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *rest: object) -> None:
        self._ended.set()
        self._thread.join()

    def quarters(self) -> Progress:
        """Return a function that prints the memory of each process after each quarter of the frames."""
        told = 0

        def progress(done: int, total: int) -> None:
            nonlocal told
            if total and 4 * done // total > told:
                told = 4 * done // total
                now = ", ".join(f"{name} {megabytes:.0f} MB" for name, megabytes in self._now().items())
                print(f"{done} of {total} frames: {now}", flush=True)

        return progress

    def peaks(self, what: str) -> Iterator[Figure]:
        """Yield the highest memory of each process since the last call. `what` is a part of the names of these
        figures.
        """
        for name, megabytes in self._peaks.items():
            yield Figure(f"Memory of {name}, {what}", megabytes, "MB", LIMITS_MB[name])
        self._peaks = dict.fromkeys(self._processes, 0.0)

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            for name, megabytes in self._now().items():
                self._peaks[name] = max(self._peaks[name], megabytes)

    def _now(self) -> dict[str, float]:
        return {name: megabytes_of(process) for name, process in self._processes.items()}


def megabytes_of(process: psutil.Process) -> float:
    """Return the resident memory of a process and its children in megabytes."""
    total = 0
    for member in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += member.memory_info().rss
    return total / 2**20


if __name__ == "__main__":
    sys.exit(main())
