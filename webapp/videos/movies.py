"""Finds video files in a zip or folder. Each of them becomes a video."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO

from django.conf import settings

from segmentation.formats.file_tree import FileTree, FolderTree, natural
from webapp.videos.archives import ZipFiles
from webapp.videos.containers import Container, container_of_start
from webapp.videos.decoding import DEFAULT_FPS, VideoFile
from webapp.videos.frame_writer import SourceFrame
from webapp.videos.refusal import Refused

# GIF is not among them: in a zip, a GIF file counts as a picture with several pages.
MOVIE_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".ogv", ".m4v"})


class Movie:
    """A video file inside a zip or folder. It is opened, and taken out of the zip, only when its frames are read."""

    def __init__(self, files: FileTree, path: str) -> None:
        self.part = path
        self.name = PurePosixPath(path).stem
        self.expected = 0
        self.fps, self.pixel_aspect = DEFAULT_FPS, 1.0
        self.notes: list[str] = []
        self._files = files

    def frames(self) -> Iterator[SourceFrame]:
        """Yield every frame. Raises Refused if the file is no video that can be read."""
        with _taken_out(self._files, self.part) as source:
            video = VideoFile(source, _container(source, self.part))
            self.fps = video.fps
            yield from video.frames()
            self.pixel_aspect, self.notes = video.pixel_aspect, video.notes


def find_movies(files: FileTree) -> list[Movie]:
    """Return the video files in `files`, sorted by path."""
    return [Movie(files, name) for name in sorted(filter(is_movie, files.names), key=natural)]


def is_movie(name: str) -> bool:
    """Return whether the suffix of a file is that of a video file."""
    return PurePosixPath(name).suffix.lower() in MOVIE_SUFFIXES


@contextmanager
def _taken_out(files: FileTree, name: str) -> Iterator[IO[bytes]]:
    """Open a file of a folder, or an entry of a zip that is first written to a file without a name."""
    if isinstance(files, FolderTree):
        with files.path(name).open("rb") as file:
            yield file
        return
    assert isinstance(files, ZipFiles)
    # The file has no name, so nothing is left if this process is killed.
    folder = Path(settings.HOME) / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=folder) as copy:
        files.copy(name, copy)
        copy.seek(0)
        yield copy


def _container(file: IO[bytes], name: str) -> Container:
    try:
        container = container_of_start(file.read(4096))
    except Refused as refusal:
        raise Refused(refusal.code, f"{name} cannot be used. {refusal.text}", refusal.status) from None
    if container is Container.ZIP:
        raise Refused("not_a_video", f"{name} is a zip, not a video.")
    return container
