"""The clips in a file or folder: one for a video, one or several for pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from webapp.videos.archives import FolderFiles, ZipFiles
from webapp.videos.containers import Container, container_of
from webapp.videos.decoding import VideoFile
from webapp.videos.frame_writer import SourceFrame
from webapp.videos.sequences import find_sequences


class Clip(Protocol):
    """A video-to-be. `part` names it within its source; `name` is empty when it is to be named after the source."""

    part: str
    name: str
    fps: float
    notes: list[str]  # complete once `frames` has run through

    @property
    def expected(self) -> int:
        """About how many frames; 0 = unknown."""
        ...

    def frames(self) -> Iterator[SourceFrame]: ...


@contextmanager
def open_source(path: Path) -> Iterator[Sequence[Clip]]:
    """The clips in `path`, at least one. Raises Refused."""
    if path.is_dir():
        yield find_sequences(FolderFiles(path))
        return
    container = container_of(path)
    if container is not Container.ZIP:
        yield [VideoFile(path, container)]
        return
    with ZipFiles(path) as files:
        yield find_sequences(files)
