"""Reads an untrusted file in a separate process with limits of memory and time.

A file of some kilobytes can make FFmpeg, Pillow or zlib take gigabytes or minutes. The process is killed when it
reaches a limit or the import is cancelled, which frees its memory.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from django.conf import settings

from webapp.configuration import Configuration
from webapp.videos.frame_writer import FrameWriter, WrittenVideo
from webapp.videos.refusal import Refused
from webapp.videos.sources import Clip, open_source
from webapp.videos.storage import VideoFolder

POLL_SECONDS = 0.25  # The time between two calls of `beat` while no frame comes.
# The process is killed when it sends no message for this time. The slowest normal frame (8K) takes a few seconds.
SILENT_SECONDS = 60.0
EXIT_SECONDS = 5.0
# A server process forks the readers. It has imported what they need and has no threads, so forking is safe.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["webapp.videos.import_process"])


class Beat(Protocol):
    """Called with the number of frames written so far, or with None while there is no new one."""

    def __call__(self, done: int | None = None) -> None: ...


@dataclass(frozen=True)
class FoundVideo:
    """A video that the uploaded file contains. An archive may contain several.

    `part` names it within the file; `expected` is its approximate number of frames, 0 if unknown.
    """

    part: str
    name: str
    fps: float
    expected: int


@dataclass(frozen=True)
class _Progress:
    count: int


@dataclass(frozen=True)
class ReadVideo:
    """A video whose files are written, with what is known only after all its frames were read.

    `notes` are sentences for the note of the video; `pixel_aspect` is the width of a pixel divided by its height.
    """

    written: WrittenVideo
    fps: float
    pixel_aspect: float
    notes: list[str]


@dataclass(frozen=True)
class _Refusal:
    code: str
    text: str
    status: int
    extra: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class _Fault:
    """A message about an unexpected exception in the process. `errno` is that of an OSError, else 0."""

    errno: int
    traceback: str


class ReaderFault(Exception):
    """The program that reads files has a fault. The text is the traceback from its process."""


class ImportReader:
    """The videos that were found in one file, and the connection to the process that reads it."""

    def __init__(self, connection: Connection, found: list[FoundVideo], beat: Beat) -> None:
        self.found = found
        self._connection = connection
        self._beat = beat

    def write(self, part: str, folder: VideoFolder) -> ReadVideo:
        """Write the files of the video named `part` into `folder`. Raises Refused, and whatever `beat` raises."""
        self._connection.send((part, folder))
        while True:
            answer = _receive(self._connection, self._beat)
            if isinstance(answer, ReadVideo):
                return answer
            assert isinstance(answer, _Progress)
            self._beat(answer.count)


@contextmanager
def read_in_process(path: Path, beat: Beat) -> Iterator[ImportReader]:
    """Open the file at `path` in a separate process. Leaving the block ends the process.

    `beat` is called at least four times a second. Raises Refused, and whatever `beat` raises.
    """
    ours, theirs = _context.Pipe()
    process = _context.Process(target=_read, args=(theirs, path, settings.CONFIG, settings.HOME), daemon=True)
    process.start()
    theirs.close()
    try:
        found = _receive(ours, beat)
        assert isinstance(found, list)
        yield ImportReader(ours, found, beat)
    finally:
        ours.close()
        process.kill()
        process.join(EXIT_SECONDS)


def _receive(connection: Connection, beat: Beat) -> list[FoundVideo] | _Progress | ReadVideo:
    """Wait for the next message of the process, and call `beat` while waiting.

    Raises Refused if the process refuses the file, sends nothing for too long, or dies. Raises OSError for an error of
    the system in the process, such as a full disk, and ReaderFault for a fault of the program.
    """
    deadline = time.monotonic() + SILENT_SECONDS
    while not connection.poll(POLL_SECONDS):
        beat()
        if time.monotonic() > deadline:
            raise Refused(
                "too_slow",
                f"A frame of this file takes more than {SILENT_SECONDS:.0f} seconds to read. Convert the file first.",
            )
    try:
        message = connection.recv()
    except EOFError:  # The process died: a decoder crashed, or the system was out of memory.
        limit = settings.CONFIG["MASKWRIGHT_IMPORT_MEMORY_MB"]
        text = f"The file ends the program that reads it: it is damaged, or needs more than {limit} MB of memory."
        raise Refused("unreadable", f"{text} Convert it first.") from None
    if isinstance(message, _Refusal):
        raise Refused(message.code, message.text, message.status, **message.extra)
    if isinstance(message, _Fault):
        raise OSError(message.errno, message.traceback) if message.errno else ReaderFault(message.traceback)
    return message


def _too_much_memory() -> Refused:
    limit = settings.CONFIG["MASKWRIGHT_IMPORT_MEMORY_MB"]
    return Refused("too_much_memory", f"Reading this file takes more than {limit} MB of memory. Convert it first.", 413)


# --- in the process -------------------------------------------------------------------------------------------------


def _read(connection: Connection, path: Path, configuration: Configuration, home: Path) -> None:
    settings.CONFIG, settings.HOME = configuration, home
    limit = int(configuration["MASKWRIGHT_IMPORT_MEMORY_MB"]) << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with open_source(path) as videos:
            connection.send([FoundVideo(video.part, video.name, video.fps, video.expected) for video in videos])
            part, folder = connection.recv()
            connection.send(_write(connection, _chosen(videos, part), folder))
    except EOFError:
        return  # The parent process closed the connection.
    except MemoryError:
        connection.send(_refusal(_too_much_memory()))
    except Refused as refusal:
        connection.send(_refusal(refusal))
    except Exception as error:
        if _reached(limit):
            connection.send(_refusal(_too_much_memory()))
        else:
            connection.send(_Fault(getattr(error, "errno", None) or 0, traceback.format_exc()))


def _reached(limit: int) -> bool:
    """Return whether this process came near `limit`, its limit of memory in bytes.

    Libraries report that they got no memory by exceptions of many kinds, so the kind does not tell.
    """
    status = Path("/proc/self/status")
    if not status.exists():  # This is not Linux.
        return False
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmPeak"))
    return int(peak.split()[1]) << 10 > 0.8 * limit


def _write(connection: Connection, video: Clip, folder: VideoFolder) -> ReadVideo:
    with FrameWriter(folder) as writer:
        for frame in video.frames():
            writer.add(frame)
            connection.send(_Progress(writer.count))
    return ReadVideo(writer.written, video.fps, video.pixel_aspect, list(video.notes))


def _chosen(videos: Sequence[Clip], part: str) -> Clip:
    return next(video for video in videos if video.part == part)


def _refusal(refused: Refused) -> _Refusal:
    return _Refusal(refused.code, refused.text, refused.status, dict(refused.extra))
