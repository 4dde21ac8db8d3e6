"""Opens what the server gets itself: a file or folder below the import folder, an object of a bucket, or an address.

The import folder is MASKWRIGHT_IMPORT_FOLDER. Nothing outside of it is read, also not through links, and nothing of the
data folder of the site.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urljoin, urlsplit

from django.conf import settings

from webapp.outgoing import Unreachable, request
from webapp.problems import Problem
from webapp.videos.bucket import allowed_places, is_in_bucket, list_place, open_object, place_of
from webapp.videos.refusal import disk_full

PIECE = 1 << 20  # bytes
MOST_REDIRECTS = 5
MOST_LISTED = 1000  # entries of one folder
MOST_IN_FOLDER = 100_000  # files of a folder that is packed


@dataclass(frozen=True)
class Opened:
    """A file that can be read: its name, its size in bytes (0 if unknown), and its bytes in pieces."""

    name: str
    size: int
    pieces: Iterator[bytes]


class Packing(Protocol):
    """What a caller has to say about the packing of a folder. Both methods can end it with an exception."""

    def begin(self, size: int) -> None:
        """Is called with the bytes of all files before anything is written."""

    def report(self, done: int, total: int) -> None:
        """Is called with the bytes that are packed, after each piece of at most PIECE bytes."""


@dataclass(frozen=True)
class Entry:
    """A file or folder that can be fetched: its path below the import folder or its address in a bucket.

    `size` is that of a file in bytes, 0 for a folder.
    """

    path: str
    is_folder: bool
    size: int


def is_address(source: str) -> bool:
    return re.match(r"[a-z][a-z0-9+.-]*://", source, re.IGNORECASE) is not None


def check_source(source: str) -> None:
    """Raise Problem for a source that is switched off or cannot be, without asking the network."""
    if is_in_bucket(source):
        place_of(source)
    elif not is_address(source):
        find_in_folder(source)
    elif not settings.CONFIG["MASKWRIGHT_IMPORT_ADDRESSES"]:
        text = "This site gets no files from addresses. An administrator can allow it (MASKWRIGHT_IMPORT_ADDRESSES)."
        raise Problem("switched_off", text, 409, field="source")


def has_folder() -> bool:
    given = settings.CONFIG["MASKWRIGHT_IMPORT_FOLDER"]
    return bool(given) and Path(given).is_dir()


def import_root() -> Path:
    """Return the import folder. Raises Problem "switched_off" if there is none."""
    given = settings.CONFIG["MASKWRIGHT_IMPORT_FOLDER"]
    root = Path(given).resolve() if given else None
    if root is None or not root.is_dir():
        text = "This site has no import folder. An administrator can name one (MASKWRIGHT_IMPORT_FOLDER)."
        raise Problem("switched_off", text, 409, field="source")
    return root


def find_in_folder(path: str) -> Path:
    """Return the file or folder with this path below the import folder. Raises Problem "not_found"."""
    root = import_root()
    try:
        found = (root / path).resolve()
        is_there = found.is_relative_to(root) and (found.is_file() or found.is_dir())
    except (OSError, ValueError, RuntimeError):  # A name is too long, has a NUL, or links lead in a circle.
        is_there = False
    if not is_there or found.is_relative_to(Path(settings.HOME).resolve()):
        raise Problem("not_found", f"The import folder has nothing called {path[:200]!r}.", 404, field="source")
    return found


def list_files(path: str) -> list[Entry]:
    """Return what lies in a folder below the import folder or in a bucket (s3://...), by name.

    An empty path stands for the import folder and the buckets that may be read. Raises Problem.
    """
    if is_in_bucket(path):
        return [Entry(found.address, found.is_folder, found.size) for found in list_place(place_of(path, "path"))]
    buckets = [] if path else [Entry(place.address, True, 0) for place in allowed_places()]
    return buckets + (_list_folder(path) if has_folder() or not buckets else [])


def _list_folder(path: str) -> list[Entry]:
    """Return what lies in a folder below the import folder. Hidden files are left out."""
    root, folder = import_root(), find_in_folder(path)
    if not folder.is_dir():
        raise Problem("not_found", f"{path[:200]!r} is a file.", 404, field="path")
    entries: list[Entry] = []
    try:
        children = sorted(folder.iterdir())
    except OSError:
        raise _unreadable(folder, "path") from None
    for child in children:
        entry = None if child.name.startswith(".") else _entry(child, root)
        if entry is not None:
            entries.append(entry)
        if len(entries) == MOST_LISTED:
            break
    return entries


def _entry(path: Path, root: Path) -> Entry | None:
    """Return what lies at a path, or None if it cannot be fetched: it leads out, vanished, or its name is no text."""
    try:
        path.name.encode()
        if not path.resolve().is_relative_to(root) or not (path.is_dir() or path.is_file()):
            return None
        size = 0 if path.is_dir() else path.stat().st_size
    except (OSError, RuntimeError, UnicodeError):  # A link that leads to itself is a RuntimeError before Python 3.13.
        return None
    return Entry(str(path.relative_to(root)), path.is_dir(), size)


def _unreadable(path: Path, field: str = "source") -> Problem:
    name = path.name.encode("utf-8", "replace").decode()
    return Problem("unreadable", f"The server cannot read {name[:200]!r} in its import folder.", 409, field=field)


@contextmanager
def open_source(source: str, packing: Packing) -> Iterator[Opened]:
    """Open a file, a folder (which is packed into a zip), an object of a bucket or an address.

    Raises Problem, and what `packing` raises.
    """
    if is_in_bucket(source):
        place = place_of(source)
        with open_object(place) as (size, pieces):
            yield Opened(place.key.rpartition("/")[2], size, pieces)
        return
    if is_address(source):
        with _open_address(source) as opened:
            yield opened
        return
    found = find_in_folder(source)
    if found.is_dir():
        with _open_folder(found, packing) as opened:
            yield opened
        return
    try:
        file = found.open("rb")
    except OSError:
        raise _unreadable(found) from None
    with file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise Problem("not_found", f"{source[:200]!r} is no file.", 404, field="source")
        yield Opened(found.name, status.st_size, iter(lambda: file.read(PIECE), b""))


@contextmanager
def _open_folder(folder: Path, packing: Packing) -> Iterator[Opened]:
    """Pack the files of a folder into a zip without compressing them, and open it."""
    files = _files_below(folder)
    total = sum(size for _, size in files)
    packing.begin(total)
    done = 0
    with tempfile.TemporaryFile(dir=Path(settings.HOME)) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as packed:
            for path, _ in files:
                for piece in _pack(packed, path, path.relative_to(folder.parent)):
                    done += piece
                    packing.report(done, total)
        size = file.tell()
        file.seek(0)
        yield Opened(f"{folder.name}.zip", size, iter(lambda: file.read(PIECE), b""))


def _files_below(folder: Path) -> list[tuple[Path, int]]:
    """Return the files of a folder with their sizes in bytes, but none that lie outside or in the data folder."""
    root, home = import_root(), Path(settings.HOME).resolve()
    files = []
    for number, path in enumerate(folder.rglob("*")):
        if number >= MOST_IN_FOLDER:
            raise Problem("too_many_files", f"The folder has more than {MOST_IN_FOLDER:,} files.", 413)
        if not path.is_file():
            continue
        real = path.resolve()
        if real.is_relative_to(root) and not real.is_relative_to(home):
            files.append((path, real.stat().st_size))
    return sorted(files)


def _pack(packed: zipfile.ZipFile, path: Path, name: Path) -> Iterator[int]:
    """Write a file into a zip and yield the number of bytes of each piece. Raises Problem if it cannot be read."""
    try:
        about = zipfile.ZipInfo.from_file(path, str(name), strict_timestamps=False)
        with path.open("rb") as source, packed.open(about, "w", force_zip64=about.file_size >= 1 << 31) as target:
            while piece := source.read(PIECE):
                target.write(piece)
                yield len(piece)
    except (OSError, UnicodeError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise disk_full() from None
        raise _unreadable(path) from None


def _joined(address: str, location: str) -> str:
    try:
        return urljoin(address, location)
    except ValueError:
        raise Problem("no_file", "The address leads on to one that cannot be used.", 409) from None


@contextmanager
def _open_address(address: str) -> Iterator[Opened]:
    """Ask for an address and follow its redirects, each of which is checked. Raises Problem."""
    for _ in range(MOST_REDIRECTS + 1):
        check_source(address)
        try:
            with request("GET", address, headers={"Accept-Encoding": "identity"}) as answer:
                response = answer.response
                if response.has_redirect_location:
                    address = _joined(address, response.headers["Location"])
                    continue
                if response.status_code != 200:
                    raise Problem("no_file", f"The address answers {response.status_code} instead of a file.", 409)
                length = response.headers.get("Content-Length", "")
                name = unquote(urlsplit(address).path).rpartition("/")[2] or "video"
                yield Opened(name, int(length) if length.isdigit() else 0, answer.parts)
                return
        except Unreachable as error:
            raise Problem("unreachable", str(error), 409) from None
    raise Problem("no_file", f"The address leads on more than {MOST_REDIRECTS} times.", 409)
