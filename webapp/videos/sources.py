"""Finds the videos in a file or folder: one in a video file or a picture file of several pages, one or several in a zip
or folder.

Each is called a clip until it has been imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from segmentation.formats.davis_layout import SequenceFiles
from segmentation.formats.file_tree import FileTree, FolderTree
from webapp.videos.archives import ZipFiles
from webapp.videos.containers import Container, container_of
from webapp.videos.decoding import VideoFile
from webapp.videos.frame_writer import SourceFrame
from webapp.videos.movies import find_movies
from webapp.videos.pictures import count_pages
from webapp.videos.refusal import Refused
from webapp.videos.sequences import PictureSequence, find_sequences


class Clip(Protocol):
    """A video that can be created from a file or folder.

    `part` names it within the file or folder; `name` is empty if the video is to be named after the file or folder.
    """

    fps: float
    # `pixel_aspect` (the width of a pixel divided by its height) and `notes` are final when `frames` is exhausted.
    pixel_aspect: float
    notes: list[str]

    @property
    def part(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def expected(self) -> int:
        """Return the approximate number of frames, 0 if unknown."""
        ...

    def frames(self) -> Iterator[SourceFrame]: ...


@contextmanager
def open_source(path: Path) -> Iterator[Sequence[Clip]]:
    """Open a file or folder, and provide the videos in it, at least one. Raises Refused."""
    if path.is_dir():
        folder = FolderTree(path)
        yield _clips(folder, folder.broken)
        return
    try:
        container = container_of(path)
    except Refused as refusal:
        pages = picture_of_pages(path) if refusal.code == "single_picture" else None
        if pages is None:
            raise
        yield [pages]
        return
    if container is not Container.ZIP:
        yield [VideoFile(path, container)]
        return
    with ZipFiles(path) as files:
        yield _clips(files)


def _clips(files: FileTree, also_left_out: Sequence[str] = ()) -> Sequence[Clip]:
    """Return the picture sequences and the video files in a zip or folder."""
    movies = find_movies(files)
    return [*find_sequences(files, also_left_out, may_be_none=bool(movies)), *movies]


def picture_of_pages(path: Path) -> PictureSequence | None:
    """Return the pages of a TIFF, WebP or PNG file as a video; None if it has only one page."""
    tree = SingleFile(path)
    if count_pages(tree.read(SingleFile.NAME)) < 2:
        return None
    return PictureSequence(tree, SequenceFiles("", ".", (SingleFile.NAME,)))


class SingleFile:
    """A single file in the form of a folder of files, from which a PictureSequence reads.

    Its name is always "picture", because an upload is stored under a name that says nothing about it.
    """

    NAME = "picture"

    def __init__(self, path: Path) -> None:
        self._path = path
        self.names = [self.NAME]

    def read(self, name: str) -> bytes:
        return self._path.read_bytes()
