"""Reads the files in an untrusted zip."""

from __future__ import annotations

import errno
import io
import re
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from django.conf import settings

from segmentation.formats.file_tree import is_clutter
from webapp.videos.refusal import Refused, check_disk

CHUNK = 1 << 20
# The largest table of contents of a zip: some 400,000 entries, which Python holds as objects.
MAX_DIRECTORY_BYTES = 64 << 20
READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # Other methods of compression may need gigabytes of memory.
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    struct.error,
    UnicodeDecodeError,  # Raised for names that are marked as UTF-8 and are not.
)


class ZipFiles:
    """The files of a zip. Each is decompressed on demand, and its size is checked meanwhile.

    Paths have / between their parts, also in zips of programs that write \\ there.

    Opening raises Refused for a damaged zip, for too many entries, and for entries that point outside (absolute paths,
    "..", links). `read` raises Refused for an entry that is larger than an image can be, and `copy` for one that is
    larger than an upload may be. Both raise it for entries that are damaged or encrypted, and if all that was
    decompressed exceeds four times the largest upload.
    """

    def __init__(self, path: Path) -> None:
        self._file = _BoundedFile(io.FileIO(path))
        self._left = 4 * int(settings.CONFIG["MASKWRIGHT_MAX_UPLOAD_MB"]) << 20
        self.names: list[str] = []
        self._entries: dict[str, zipfile.ZipInfo] = {}
        try:
            self._zip = zipfile.ZipFile(self._file)
            self._check_entries()
        except BaseException as error:
            self._file.close()
            if isinstance(error, BROKEN):
                raise Refused("bad_zip", "The zip is damaged, or was cut short.") from None
            raise

    def _check_entries(self) -> None:
        entries = self._zip.infolist()
        # The factor allows for masks and other files beside the frames.
        most = 4 * int(settings.CONFIG["MASKWRIGHT_MAX_FRAMES"]) + 1000
        if len(entries) > most:
            raise Refused("too_many_files", f"The zip has {len(entries)} entries; at most {most} are looked at.", 413)
        for entry in entries:
            check_entry(entry)
            name = entry.filename.replace("\\", "/")
            if not name.endswith("/") and not is_clutter(name):
                self._entries[name] = entry
        self.names = list(self._entries)

    def read(self, name: str) -> bytes:
        entry = self._readable(name)
        data = io.BytesIO()
        self._inflate(entry, data, _most_picture_bytes(), "any allowed picture has")
        return data.getvalue()

    def copy(self, name: str, target: IO[bytes]) -> None:
        """Write the entry `name`, which may be too large for the memory (a video file), to `target`. Raises Refused."""
        entry = self._readable(name)
        check_disk(entry.file_size)
        most = int(settings.CONFIG["MASKWRIGHT_MAX_UPLOAD_MB"]) << 20
        self._inflate(entry, target, most, "an upload may have")

    def _readable(self, name: str) -> zipfile.ZipInfo:
        entry = self._entries[name]
        if entry.flag_bits & 1:
            raise Refused("encrypted", "The zip is encrypted. Pack it without a password.")
        if entry.compress_type not in READABLE:
            raise Refused("bad_zip", "The zip is packed in an unusual way. Pack it with the common method (deflate).")
        return entry

    def _inflate(self, entry: zipfile.ZipInfo, target: IO[bytes], most: int, limit: str) -> None:
        name, written = entry.filename.replace("\\", "/"), 0
        try:
            with self._zip.open(entry) as file:
                while chunk := file.read(CHUNK):
                    written += len(chunk)
                    self._count(len(chunk))
                    if written > most:
                        raise Refused("zip_bomb", f"{name} inflates to more bytes than {limit}.", 413)
                    target.write(chunk)
        except BROKEN as error:
            if getattr(error, "errno", None) == errno.ENOSPC:
                raise
            raise Refused("bad_zip", f"{name} in the zip is damaged.") from None

    def _count(self, more: int) -> None:
        self._left -= more
        if self._left < 0:
            raise Refused("zip_bomb", "The zip inflates to far more than an upload may have.", 413)

    def close(self) -> None:
        self._zip.close()
        self._file.close()  # ZipFile does not close a file that it did not open.

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def check_entry(entry: zipfile.ZipInfo) -> None:
    """Raise Refused for an entry that is a link or whose path leads out of the zip."""
    path = entry.filename.replace("\\", "/")
    outside = path.startswith("/") or ".." in path.split("/") or re.match(r"[A-Za-z]:", path)
    link = stat.S_ISLNK(entry.external_attr >> 16)
    if outside or link:
        what = "is a link" if link else "points outside of the zip"
        raise Refused("unsafe_zip", f"The entry {entry.filename[:100]!r} {what}. Such a zip is not taken.")


class _BoundedFile(io.BufferedReader):
    """A file that refuses a read of more bytes than the table of contents of a zip may have.

    Python reads that table in one call, with the size that the zip states. A zip can state it in two places, and
    versions of Python differ in which one they use. Entries are read in much smaller pieces.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_DIRECTORY_BYTES:
            raise Refused("too_many_files", "The zip has far too many entries.", 413)
        return super().read(size)


def _most_picture_bytes() -> int:
    """Return the largest size of an image file: 16 bits for each of four channels per pixel, and some headers."""
    return int(settings.CONFIG["MASKWRIGHT_MAX_WIDTH"] * settings.CONFIG["MASKWRIGHT_MAX_HEIGHT"] * 8 + CHUNK)
