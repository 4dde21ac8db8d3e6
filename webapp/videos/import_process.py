"""Reads the videos in an untrusted file in a separate process, which writes their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from webapp.videos.frame_writer import FrameWriter, WrittenVideo
from webapp.videos.reader_process import Beat, Reader, reading
from webapp.videos.storage import VideoFolder

if TYPE_CHECKING:  # Only the process that reads imports it, because it loads FFmpeg.
    from webapp.videos.sources import Clip


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


class ImportReader:
    """The videos that were found in one file, and the process that reads it."""

    def __init__(self, reader: Reader, found: list[FoundVideo], beat: Beat) -> None:
        self.found = found
        self._reader = reader
        self._beat = beat

    def write(self, part: str, folder: VideoFolder) -> ReadVideo:
        """Write the files of one video of the upload, the one named `part`, into `folder`. It can be called once.

        `beat` is called meanwhile. Raises what `Reader.receive` raises.
        """
        self._reader.send((part, folder))
        while True:
            answer = self._reader.receive()
            if isinstance(answer, ReadVideo):
                return answer
            assert isinstance(answer, _Progress)
            self._beat(answer.count)


@contextmanager
def read_in_process(path: Path, beat: Beat) -> Iterator[ImportReader]:
    """Open the file at `path` in a separate process. Leaving the block ends the process.

    While the file is opened, `beat` is called four times a second. Raises what `Reader.receive` raises.
    """
    with reading(_read, path, beat) as reader:
        found = reader.receive()
        assert isinstance(found, list)
        yield ImportReader(reader, found, beat)


# --- in the process -------------------------------------------------------------------------------------------------


def _read(connection: Connection, path: Path) -> None:
    from webapp.videos.sources import open_source

    with open_source(path) as videos:
        connection.send([FoundVideo(video.part, video.name, video.fps, video.expected) for video in videos])
        part, folder = connection.recv()
        connection.send(_write(connection, _chosen(videos, part), folder))


def _write(connection: Connection, video: Clip, folder: VideoFolder) -> ReadVideo:
    with FrameWriter(folder) as writer:
        for frame in video.frames():
            writer.add(frame)
            connection.send(_Progress(writer.count))
    return ReadVideo(writer.written, video.fps, video.pixel_aspect, list(video.notes))


def _chosen(videos: Sequence[Clip], part: str) -> Clip:
    return next(video for video in videos if video.part == part)
