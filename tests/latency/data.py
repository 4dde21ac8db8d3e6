"""Measure exports and imports of masks: their speed compared with that of decoding and encoding alone, and the memory
of the processes that write an export or read an import.

`python -m tests.latency.data`, or with `exports`, `memory` or `imports` behind it, prints the figures. Its exit status
is 1 if a target is missed.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import django
import numpy as np
from PIL import Image

if __name__ in ("__main__", "__mp_main__"):  # The second is the name in the process that reads a file.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()

from django.conf import settings
from django.db import connection, connections
from django.test.utils import setup_test_environment

from segmentation.formats.coco_rle import encode_rle
from segmentation.types import LabelMap
from tests.latency.figures import Figure
from webapp.accounts.models import User
from webapp.annotation.codec import encode
from webapp.annotation.export import jobs
from webapp.annotation.export.formats.overlay import CRF
from webapp.annotation.export.jobs import make_export, make_project_export, run_export
from webapp.annotation.export.options import Options
from webapp.annotation.export.subject import Subject
from webapp.annotation.imports.reading import read_masks
from webapp.annotation.models import Head, Mask, Object, Round
from webapp.projects.models import Membership, Project, Role
from webapp.videos.create import create_video
from webapp.videos.models import Video
from webapp.videos.refusal import ImportCancelled
from webapp.videos.storage import folder_of

VIDEOS, FRAMES = 200, 8
OBJECTS = 3
HD, SD = (1920, 1080), (854, 480)
HD_FRAMES = 60
RATE = 24
TRIES = 3
ANNOTATIONS = 100_000
LONG, SHORT = 1000, 250  # The frames of the videos whose exports are measured for memory.
LARGE_FORMATS = ("mattes-16", "mattes-exr", "prores", "png-mov", "webm", "overlay", "matte-mp4")
PARTS = ("exports", "memory", "imports")


def measure(parts: Sequence[str] = PARTS) -> Iterator[Figure]:
    """Create a database and a data folder, and yield the figures of these parts. Both are removed at the end."""
    setup_test_environment(debug=False)
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    jobs.send_task = lambda *_: None  # Exports are run here and not by a worker.
    try:
        with tempfile.TemporaryDirectory(prefix="maskwright-data-") as home:
            settings.HOME = Path(home)
            owner = User.objects.create_user("owner", password="correct horse battery")
            if "exports" in parts:
                yield from _large_video(owner)
                yield from _many_videos(owner)
            if "memory" in parts:
                yield from _long_video(owner)
            if "imports" in parts:
                yield from _many_annotations(Path(home))
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


# --- exports ----------------------------------------------------------------------------------------------------------


def _large_video(owner: User) -> Iterator[Figure]:
    """Yield the speed of exports of a video at 1080p; that of the overlay is compared with that of FFmpeg alone."""
    project = _project(owner, "Large")
    video = _video(project, "large", HD, HD_FRAMES)
    alone, overlay = _shortest(lambda: _encode_alone(video), lambda: _export(owner, video, "overlay"))
    said = f"{HD_FRAMES / overlay:.1f} and {HD_FRAMES / alone:.1f} frames/s"
    yield Figure("Overlay mp4 at 1080p, beside FFmpeg's encoding", alone / overlay, "", 0.8, "more", said)
    processor = _seconds(lambda: _export(owner, video, "davis"), time.process_time)
    wall = _seconds(lambda: _export(owner, video, "davis"))
    # One core writes the export, so its processor time is what an idle machine needs.
    said = f"a second of processor time; {HD_FRAMES / wall:.0f} a second by the clock"
    yield Figure("DAVIS export at 1080p, frames", HD_FRAMES / processor, "1/s", 80, "more", said)


def _encode_alone(video: Video) -> None:
    """Decode and encode a video by FFmpeg's libraries alone, with the encoder's options of the overlay export.

    The time that this takes is what the export is compared with.
    """
    folder = folder_of(video.pk)
    with av.open(str(folder.root / "alone.mp4"), "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        stream.options = {"crf": CRF, "preset": "veryfast"}
        for index in range(video.frame_count):
            with av.open(str(folder.frame(index)), format="image2") as picture:
                frame = next(picture.decode(video=0))
            frame = frame.reformat(format="yuv420p", dst_color_range="MPEG")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def _many_videos(owner: User) -> Iterator[Figure]:
    """Yield how many times as long one export of many videos takes as reading and encoding their masks alone."""
    project = _project(owner, "Many")
    first = _video(project, "clip 0", SD, FRAMES)
    for number in range(1, VIDEOS):
        _copy(first, f"clip {number}")
    subjects = [Subject(v, v.head.round_id or 0, v.name, Options()) for v in project.videos.select_related("head")]

    def export() -> None:
        made = make_project_export(by=owner, project_id=project.pk, format_name="youtube-vis")
        _run(made.pk)

    alone, whole = _shortest(lambda: _read_and_encode(subjects), export)
    said = f"{whole:.1f} s and {alone:.1f} s for {VIDEOS * FRAMES} frames"
    yield Figure(f"{VIDEOS} videos as YouTube-VIS, beside reading and encoding", whole / alone, "x", 1.3, note=said)


def _read_and_encode(subjects: Sequence[Subject]) -> None:
    """Read all frames and masks, and encode the mask of each object by pycocotools (`encode_rle`).

    The export, which encodes masks in another way, is compared with the time that this takes.
    """
    for subject in subjects:
        for index, labels in subject.frames():
            folder_of(subject.video.pk).frame(index).read_bytes()
            for number in range(1, OBJECTS + 1):
                encode_rle(np.asarray(labels == number))


def _long_video(owner: User) -> Iterator[Figure]:
    """Yield the most memory that a process needs that exports a long video, in each format that has its pictures."""
    project = _project(owner, "Long")
    long, short = (_video(project, f"{count} frames", SD, count) for count in (LONG, SHORT))
    for name in LARGE_FORMATS:
        before, _ = _memory_of_child(lambda: None)
        less, _ = _memory_of_child(lambda: _export(owner, short, name))  # noqa: B023 - it is called at once
        most, seconds = _memory_of_child(lambda: _export(owner, long, name))  # noqa: B023
        said = f"{less:.0f} MB with {SHORT}, {before:.0f} before; {seconds:.0f} s of processor time"
        yield Figure(f"{LONG:,} frames of 480p as {name}, memory", most, "MB", 512, note=said)


def _memory_of_child(act: Callable[[], None]) -> tuple[float, float]:
    """Call `act` in a copy of this process. Return its largest resident memory in MB, and its processor time in s."""
    receiver, sender = multiprocessing.Pipe(duplex=False)

    def run() -> None:
        act()
        used = resource.getrusage(resource.RUSAGE_SELF)
        sender.send((used.ru_maxrss / 1024, used.ru_utime + used.ru_stime))

    connections.close_all()  # SQLite forbids to use a connection in a copy of the process that opened it.
    child = multiprocessing.get_context("fork").Process(target=run)
    child.start()
    child.join()
    assert child.exitcode == 0, "The export failed in the child process."
    most, seconds = receiver.recv()
    return most, seconds


def _export(owner: User, video: Video, format_name: str) -> None:
    _run(make_export(by=owner, video_id=video.pk, format_name=format_name).pk)


def _run(export_id: int) -> None:
    run_export(export_id)
    export = jobs.Export.objects.get(pk=export_id)
    assert export.state == "done", export.error


# --- imports ----------------------------------------------------------------------------------------------------------


def _many_annotations(home: Path) -> Iterator[Figure]:
    """Yield the memory and time of reading a large COCO file, and how soon a cancelled import ends."""
    path = home / "coco.json"
    path.write_text(json.dumps(_coco(ANNOTATIONS)))
    size = f"{path.stat().st_size >> 20} MB of JSON"
    most = [0]
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(most, done), daemon=True)
    watcher.start()
    started = time.monotonic()
    with read_masks(path, "coco.json", lambda done=None: None) as reader:
        frames = sum(len(video.frames) for video in reader.found.videos)
        took = time.monotonic() - started
    done.set()
    watcher.join()
    yield Figure(f"{ANNOTATIONS:,} COCO annotations, memory of the reader", most[0] / (1 << 20), "MB", 512, note=size)
    yield Figure(f"{ANNOTATIONS:,} COCO annotations of {frames:,} frames, until they are known", took, "s")
    started = time.monotonic()

    def cancel(done: int | None = None) -> None:
        raise ImportCancelled

    try:
        with read_masks(path, "coco.json", cancel):
            pass
    except ImportCancelled:
        yield Figure("A cancelled import of them ends after", time.monotonic() - started, "s", 2)


def _watch(most: list[int], done: threading.Event) -> None:
    """Until `done`, store in `most[0]` the largest resident memory, in bytes, that a child process of this one has."""
    import psutil

    while not done.wait(0.05):
        for process in psutil.Process().children(recursive=True):
            try:
                most[0] = max(most[0], process.memory_info().rss)
            except psutil.Error:
                continue


def _coco(count: int) -> dict[str, Any]:
    """Return a COCO file with `count` annotations, ten in each image of 480p, in videos of 100 frames."""
    segmentation = [encode_rle(_mask(SD, number) == 1) for number in range(10)]
    images = [
        {"id": at, "file_name": f"video{at // 100}/{at % 100:05}.jpg", "width": SD[0], "height": SD[1]}
        for at in range(count // 10)
    ]
    annotations = [
        {
            "id": at,
            "image_id": at // 10,
            "category_id": 1,
            "track_id": at % 10 + 1,
            "iscrowd": 0,
            "area": 1000,
            "bbox": [1, 2, 30, 40],
            "segmentation": segmentation[at % 10],
        }
        for at in range(count)
    ]
    return {"images": images, "categories": [{"id": 1, "name": "fish"}], "annotations": annotations}


# --- videos -----------------------------------------------------------------------------------------------------------


def _project(owner: User, name: str) -> Project:
    project = Project.objects.create(name=name, created_by=owner)
    Membership.objects.create(project=project, user=owner, role=Role.OWNER)
    return project


def _video(project: Project, name: str, size: tuple[int, int], count: int) -> Video:
    """Create a video of textured frames with a round that has a mask of three moving objects in each."""
    small = np.random.default_rng(0).integers(0, 255, (27, 48, 3), dtype=np.uint8)
    texture = np.asarray(Image.fromarray(small).resize(size, Image.Resampling.BICUBIC))
    frames = (np.roll(texture, 4 * index, axis=1) for index in range(count))
    video = create_video(project=project, name=name, frames=frames, author=project.created_by, fps=24)
    _annotate(video, [encode(_mask(size, index)) for index in range(count)])
    return video


def _mask(size: tuple[int, int], index: int) -> LabelMap:
    rows, columns = np.mgrid[: size[1], : size[0]]
    mask = np.zeros((size[1], size[0]), np.uint8)
    for number in range(1, OBJECTS + 1):
        x, y = size[0] * number // 4 + 3 * index, size[1] // 2 + 5 * number
        waves = 1 + 0.1 * np.sin(np.arctan2(rows - y, columns - x) * 9)
        mask[np.hypot(rows - y, columns - x) < waves * size[1] / 8] = number
    return mask


def _annotate(video: Video, masks: Sequence[bytes]) -> None:
    for number in range(1, OBJECTS + 1):
        Object.objects.create(
            video=video, number=number, name=f"Fish {number}", color="#06d6a0", created_by=video.created_by
        )
    made = Round.objects.create(
        video=video, number=1, key=uuid.uuid4(), author=video.created_by, frame=0, scribbles=[], num_objects=OBJECTS,
        engine="fake", state="done",
    )  # fmt: skip
    Mask.objects.bulk_create(Mask(round=made, frame=frame, data=data) for frame, data in enumerate(masks))
    Head.objects.update_or_create(video=video, defaults={"round": made, "next_round_number": 2})


def _copy(video: Video, name: str) -> Video:
    """Create a video that shares the files of another one and has equal masks."""
    masks = list(Mask.objects.filter(round__video=video).order_by("frame").values_list("data", flat=True))
    folder = folder_of(video.pk).root
    copy = Video.objects.get(pk=video.pk)
    copy.pk, copy.name = None, name
    copy.save(force_insert=True)
    shutil.copytree(folder, folder_of(copy.pk).root, copy_function=os.link)
    _annotate(copy, [bytes(data) for data in masks])
    return copy


def _seconds(act: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> float:
    started = clock()
    act()
    return clock() - started


def _shortest(*acts: Callable[[], None]) -> list[float]:
    """Call each act `TRIES` times, in turn, and return the shortest time of each: other programs delayed that least."""
    tries = [[_seconds(act) for act in acts] for _ in range(TRIES)]
    return [min(times) for times in zip(*tries, strict=True)]


def main() -> int:
    missed = 0
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the start")
    for figure in measure(sys.argv[1:] or PARTS):
        print(figure, flush=True)
        missed += not figure.reached
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
