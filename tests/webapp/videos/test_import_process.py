"""Tests of the process that reads an uploaded file: its limits on memory and time, and how it is stopped."""

from __future__ import annotations

import dataclasses
import io
import multiprocessing
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.webapp.videos.archives import write_zip
from tests.webapp.videos.clips import write_clip
from webapp.videos import reader_process
from webapp.videos.frame_writer import hash_of
from webapp.videos.import_process import read_in_process
from webapp.videos.refusal import ImportCancelled, Refused
from webapp.videos.storage import VideoFolder

SCANS = 100_000  # scans of 69 bytes each; a fast machine needs a minute to decode them


@pytest.fixture
def slow_zip(tmp_path: Path) -> Path:
    """Write a zip with one progressive JPEG that repeats a scan so often that decoding takes a minute or more."""
    buffer = io.BytesIO()
    Image.new("RGB", (4000, 2304), (90, 120, 60)).save(buffer, "JPEG", progressive=True, quality=30)
    data = buffer.getvalue()
    second = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    third = data.index(b"\xff\xda", second + 2)
    table = data.rindex(b"\xff\xc4", 0, second)
    scan = data[table:third]
    return write_zip(tmp_path / "slow.zip", [("frame.jpg", data[:table] + scan * SCANS + data[table:])])


def no_beat(done: int | None = None) -> None:
    pass


def read_all(path: Path, folder: Path) -> int:
    with read_in_process(path, no_beat) as reader:
        return reader.write(reader.found[0].part, VideoFolder(folder)).written.count


def readers() -> int:
    return len(multiprocessing.active_children())


def test_it_writes_the_frames_and_counts_them(tmp_path: Path) -> None:
    seen: list[int | None] = []
    path = write_clip(tmp_path / "clip.mp4", 7)
    with read_in_process(path, lambda done=None: seen.append(done)) as reader:
        (found,) = reader.found
        read = reader.write(found.part, VideoFolder(tmp_path / "out"))
    written = read.written
    assert (written.width, written.height, written.count, read.notes) == (240, 160, 7, [])
    assert (read.fps, read.pixel_aspect) == (25, 1)
    frames = sorted((tmp_path / "out" / "frames").iterdir())
    assert written.hashes == b"".join(hash_of(path.read_bytes()) for path in frames)
    assert [done for done in seen if done is not None] == list(range(1, 8))
    assert len(list((tmp_path / "out" / "frames").iterdir())) == 7
    assert readers() == 0


def test_its_refusals_are_those_of_the_source(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"nothing of the kind")
    with pytest.raises(Refused) as refusal:
        read_all(tmp_path / "clip.mp4", tmp_path / "out")
    assert refusal.value.code == "not_a_video"
    assert readers() == 0


def test_a_long_video_needs_no_more_memory_than_a_short_one(tmp_path: Path, settings: Any) -> None:
    """Reading a long video stays below the memory limit.

    PyAV's `frame.side_data` and its frame refer to each other. A reader that used it would keep frames in memory until
    Python's garbage collector runs, and would exceed the limit here.
    """
    values = {**settings.CONFIG.values, "MASKWRIGHT_IMPORT_MEMORY_MB": 1024}
    settings.CONFIG = dataclasses.replace(settings.CONFIG, values=values)
    path = write_clip(tmp_path / "clip.mp4", 150, size=(1280, 720), options={"preset": "ultrafast"})
    assert read_all(path, tmp_path / "out") == 150


def test_a_file_that_needs_more_memory_than_the_limit_is_refused(tmp_path: Path, settings: Any) -> None:
    values = {**settings.CONFIG.values, "MASKWRIGHT_IMPORT_MEMORY_MB": 250}
    settings.CONFIG = dataclasses.replace(settings.CONFIG, values=values)
    path = write_clip(tmp_path / "clip.mp4", 12, size=(3840, 2160), options={"preset": "ultrafast", "refs": "16"})
    with pytest.raises(Refused, match="more than 250 MB of memory"):
        read_all(path, tmp_path / "out")
    assert readers() == 0


def test_a_frame_that_takes_too_long_is_refused(
    tmp_path: Path, slow_zip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_process, "SILENT_SECONDS", 1.5)
    with pytest.raises(Refused, match="takes more than"):
        read_all(slow_zip, tmp_path / "out")
    assert readers() == 0


def test_a_reader_that_is_busy_with_one_frame_is_stopped_within_two_seconds(tmp_path: Path, slow_zip: Path) -> None:
    began = time.monotonic()
    cancelled = 0.0

    def cancel(done: int | None = None) -> None:
        nonlocal cancelled
        if time.monotonic() > began + 1.5:
            cancelled = time.monotonic()
            raise ImportCancelled

    with read_in_process(slow_zip, cancel) as reader, pytest.raises(ImportCancelled):
        reader.write(reader.found[0].part, VideoFolder(tmp_path / "out"))
    assert time.monotonic() - cancelled < 2
    assert readers() == 0
