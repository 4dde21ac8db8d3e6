"""The files of uploads: they arrive in chunks, and workers read them when they are complete.

On a site without a bucket an upload is one file in the data folder. Otherwise each chunk is a stored file, named by the
byte at which it begins and its length, because each may arrive at another machine; a worker puts them together on its
own disk. A client that sends a chunk again, perhaps a shorter one, thus replaces nothing that was counted already.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol
from uuid import UUID, uuid4

from django.conf import settings

from webapp.problems import NotFound, Problem
from webapp.storage.files import storage
from webapp.tus import CHECKSUM_MISMATCH, Checksum
from webapp.videos.models import Upload
from webapp.videos.refusal import Refused, check_disk

COPY = 1 << 20
GONE = "The uploaded file is gone. Upload it again."
UPLOADS = "uploads"  # The folder of uploads, on this machine and in a bucket.
PART = ".part"  # The suffix of files that are being written.


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def upload_path(upload_id: UUID) -> Path:
    """Return the path of the file of an upload on this machine."""
    return Path(settings.HOME) / UPLOADS / str(upload_id)


def begin_file(upload_id: UUID) -> None:
    """Create the file of an upload, which is empty at first."""
    if storage().on_this_disk:
        path = upload_path(upload_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _folder(upload_id: UUID) -> str:
    """Return the name of the folder of the chunks of an upload in a bucket."""
    return f"{UPLOADS}/{upload_id}"


def _save_chunk(path: Path, upload_id: UUID, offset: int) -> None:
    storage().save(path, f"{_folder(upload_id)}/{offset:015d}-{path.stat().st_size}")


class Incoming(Protocol):
    """The place to which the chunks of an upload are written: an open file, or a bucket."""

    def take(self, body: Readable, offset: int, length: int, checksum: Checksum | None) -> None:
        """Write `length` bytes of `body` at `offset`. Raises Problem if they do not all come or do not fit the
        checksum.
        """


@dataclass(frozen=True)
class _IntoFile:
    """The open file of an upload, to which no other request can write at the same time."""

    file: IO[bytes]

    def take(self, body: Readable, offset: int, length: int, checksum: Checksum | None) -> None:
        self.file.seek(offset)
        _take(body, self.file, offset, length, checksum)


@dataclass(frozen=True)
class _IntoBucket:
    """Stores each chunk of an upload as a file of its own, once it has come completely."""

    upload_id: UUID

    def take(self, body: Readable, offset: int, length: int, checksum: Checksum | None) -> None:
        with _new_file() as path:
            with path.open("wb") as file:
                _take(body, file, offset, length, checksum)
            _save_chunk(path, self.upload_id, offset)


@contextmanager
def receiving(upload_id: UUID) -> Iterator[Incoming]:
    """Yield the place to which chunks are written.

    Raises Problem "busy" if another request writes to the same file, and NotFound if the file is gone.

    A client that gave up on a chunk may send it again while the first request is still writing.
    """
    if not storage().on_this_disk:
        yield _IntoBucket(upload_id)
        return
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
        yield _IntoFile(file)


@contextmanager
def writing(upload: Upload) -> Iterator[IO[bytes]]:
    """Open the file of an upload that the server fetches itself, to be written from beginning to end."""
    if storage().on_this_disk:
        with upload_path(upload.pk).open("wb") as file:
            yield file
        return
    with _new_file() as path:
        with path.open("wb") as file:
            yield file
        _save_chunk(path, upload.pk, 0)


def local_upload(upload: Upload) -> Path:
    """Return a path on this machine at which a complete upload can be read. Raises Refused if it is gone."""
    path = upload_path(upload.pk)
    if not path.is_file():
        if storage().on_this_disk:
            raise Refused("no_upload", GONE)
        _put_together(upload, path)
    return path


def _put_together(upload: Upload, to: Path) -> None:
    """Write the chunks of an upload to a file. Raises Refused if some are missing, or the disk is too full."""
    folder = _folder(upload.pk)
    chunks = _chunks(storage().sizes(folder), upload.size)
    check_disk(upload.size)
    with _new_file() as path:
        with path.open("wb") as file:
            for name, size in chunks:
                with storage().open(f"{folder}/{name}") as chunk:
                    if _copy(chunk, file, size) != size:
                        raise Refused("no_upload", GONE)
        path.rename(to)


def _chunks(stored: dict[str, int], size: int) -> list[tuple[str, int]]:
    """Return the names and sizes of stored chunks that follow each other from byte 0 to `size`, each byte once.

    Chunks that do not lead to `size` are left out: their bytes were sent again, divided differently. Raises Refused if
    the others leave a gap.
    """
    begins = {name: int(name.partition("-")[0]) for name in stored}
    leading: dict[int, str] = {}  # By the byte at which it begins: a chunk from which others lead to the end.
    for name in sorted(stored, key=lambda name: begins[name], reverse=True):
        end = begins[name] + stored[name]
        if stored[name] and (end == size or end in leading):
            leading[begins[name]] = name
    at, found = 0, []
    while at < size:
        if at not in leading:
            raise Refused("no_upload", GONE)
        found.append((leading[at], stored[leading[at]]))
        at += stored[leading[at]]
    return found


def remove_upload(upload_id: UUID) -> None:
    """Remove the file of an upload, if there is one."""
    upload_path(upload_id).unlink(missing_ok=True)
    if not storage().on_this_disk:
        storage().remove_folder(_folder(upload_id))


def remove_old_parts() -> None:
    """Remove unfinished files of processes that are gone, and files that were put together for ended imports."""
    day_ago = time.time() - 24 * 3600
    for path in (Path(settings.HOME) / UPLOADS).glob("*"):
        with suppress(FileNotFoundError):  # Another worker may remove it at the same time.
            is_part = path.suffix == PART or not storage().on_this_disk
            if is_part and path.stat().st_mtime < day_ago:
                path.unlink()


@contextmanager
def _new_file() -> Iterator[Path]:
    """Provide a path for a new file beside those of uploads. A file that is still there when the block ends is
    removed.
    """
    folder = Path(settings.HOME) / UPLOADS
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{uuid4().hex}{PART}"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _take(body: Readable, file: IO[bytes], offset: int, length: int, checksum: Checksum | None) -> None:
    """Copy `length` bytes of `body` to `file` at its position. Raises Problem if some are missing or do not fit the
    checksum.

    `offset` is the position of the bytes in the upload, which the Problem tells the client.
    """
    sum_ = None if checksum is None else checksum.new()
    if _copy(body, file, length, sum_) != length:
        raise Problem("chunk_cut", "The connection broke in the middle of a chunk.", received=offset)
    if checksum is not None and sum_ is not None and sum_.digest() != checksum.digest:
        text = "The chunk does not have its checksum. Send it again."
        raise Problem("wrong_checksum", text, CHECKSUM_MISMATCH, received=offset)
    file.flush()


def _copy(body: Readable, file: IO[bytes], length: int, sum_: Any = None) -> int:
    copied = 0
    while copied < length and (data := body.read(min(COPY, length - copied))):
        file.write(data)
        if sum_ is not None:
            sum_.update(data)
        copied += len(data)
    return copied
