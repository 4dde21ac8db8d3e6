"""Packs the files of a folder into one zip, so that a folder can be brought in as one file."""

from __future__ import annotations

import errno
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.conf import settings

from webapp.problems import Problem
from webapp.videos.refusal import disk_full

PIECE = 1 << 20  # bytes
MOST_IN_FOLDER = 100_000  # files of a folder that is packed


@dataclass(frozen=True)
class ReadableFile:
    """A file that can be read: its name, its size in bytes (0 if unknown), and its bytes in pieces."""

    name: str
    size: int
    pieces: Iterator[bytes]


@dataclass(frozen=True)
class Member:
    """A file of a folder: its path below the folder, its size in bytes, and a function that reads it piece by piece."""

    path: str
    size: int
    read: Callable[[], Iterator[bytes]]


class Packing(Protocol):
    """The functions of a caller that are called while a folder is packed. An exception of either ends the packing."""

    def begin(self, size: int) -> None:
        """Called with the size of all files in bytes, before anything is written. Raises Problem if that is too
        much.
        """

    def report(self, done: int, total: int) -> None:
        """Called after each piece with the number of packed bytes and the number of all bytes."""


@contextmanager
def open_packed(folder: str, members: Sequence[Member], packing: Packing) -> Iterator[ReadableFile]:
    """Pack the files of the folder with this name into a zip without compressing them, and open it.

    Raises Problem, and what `packing` and the functions of the members raise.
    """
    total = sum(member.size for member in members)
    packing.begin(total)
    with tempfile.TemporaryFile(dir=Path(settings.HOME)) as file:
        done = 0
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as packed:
            for member in members:
                for size in _pack(packed, f"{folder}/{member.path}", member):
                    done += size
                    packing.report(done, total)
        size = file.tell()
        file.seek(0)
        yield ReadableFile(f"{folder}.zip", size, iter(lambda: file.read(PIECE), b""))


def check_count(count: int) -> None:
    """Raise Problem for a folder that has too many files to be packed."""
    if count > MOST_IN_FOLDER:
        raise Problem("too_many_files", f"The folder has more than {MOST_IN_FOLDER:,} files.", 413)


def _pack(packed: zipfile.ZipFile, name: str, member: Member) -> Iterator[int]:
    """Write a file into a zip, and yield the number of bytes of each piece."""
    try:
        with packed.open(zipfile.ZipInfo(name), "w", force_zip64=member.size >= 1 << 31) as target:
            for piece in member.read():
                target.write(piece)
                yield len(piece)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise disk_full() from None
        raise
