"""The files of uploads: they arrive in chunks, and workers read them when they are complete."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol
from uuid import UUID

from django.conf import settings

from webapp.problems import NotFound, Problem
from webapp.tus import CHECKSUM_MISMATCH, Checksum
from webapp.videos.models import Upload

COPY = 1 << 20


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def upload_path(upload_id: UUID) -> Path:
    """Return the path of the file of an upload on this machine."""
    return Path(settings.HOME) / "uploads" / str(upload_id)


def begin_file(upload_id: UUID) -> None:
    """Create the file of an upload, which is empty at first."""
    path = upload_path(upload_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


@dataclass(frozen=True)
class Incoming:
    """The open file of an upload, to which no other request can write at the same time."""

    file: IO[bytes]

    def take(self, body: Readable, offset: int, length: int, checksum: Checksum | None) -> None:
        """Write `length` bytes of `body` at `offset`. Raises Problem if they do not all come or are not as sent."""
        self.file.seek(offset)
        sum_ = None if checksum is None else checksum.new()
        if _copy(body, self.file, length, sum_) != length:
            raise Problem("chunk_cut", "The connection broke in the middle of a chunk.", received=offset)
        if checksum is not None and sum_ is not None and sum_.digest() != checksum.digest:
            text = "The chunk does not have its checksum. Send it again."
            raise Problem("wrong_checksum", text, CHECKSUM_MISMATCH, received=offset)
        self.file.flush()


@contextmanager
def receiving(upload_id: UUID) -> Iterator[Incoming]:
    """Open the file with a lock that only one request can hold. Raises Problem "busy" if another one holds it.

    A client that gave up on a chunk may send it again while the first request is still writing.
    """
    try:
        file = upload_path(upload_id).open("r+b")
    except FileNotFoundError:
        raise NotFound("upload") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem(
                "busy", "Another chunk of this upload is being written. Try again in a moment.", 503, retry_after=1
            ) from None
        yield Incoming(file)


@contextmanager
def writing(upload: Upload) -> Iterator[IO[bytes]]:
    """Open the file of an upload that the server gets itself, to be written from beginning to end."""
    with upload_path(upload.pk).open("wb") as file:
        yield file


def local_upload(upload: Upload) -> Path:
    """Return a path on this machine at which a complete upload can be read. Raises FileNotFoundError."""
    path = upload_path(upload.pk)
    if not path.is_file():
        raise FileNotFoundError(str(upload.pk))
    return path


def remove_upload(upload_id: UUID) -> None:
    """Remove the file of an upload, if there is one."""
    upload_path(upload_id).unlink(missing_ok=True)


def _copy(body: Readable, file: IO[bytes], length: int, sum_: Any = None) -> int:
    copied = 0
    while copied < length and (data := body.read(min(COPY, length - copied))):
        file.write(data)
        if sum_ is not None:
            sum_.update(data)
        copied += len(data)
    return copied
