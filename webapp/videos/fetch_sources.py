"""Opens the sources of fetches: a file or folder below the import folder, an object of a bucket, or a URL.

The import folder is MASKWRIGHT_IMPORT_FOLDER. A path never leads out of it, not even through a link, and never into the
site's data folder.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from django.conf import settings

from webapp.outgoing import Unreachable, request
from webapp.problems import Problem
from webapp.videos.bucket import (
    Place,
    allowed_places,
    connected,
    is_in_bucket,
    list_place,
    objects_below,
    open_object,
    place_of,
)
from webapp.videos.packing import PIECE, Member, Packing, ReadableFile, check_count, open_packed

MOST_REDIRECTS = 5
MOST_LISTED = 1000  # entries of one folder


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
    """Raise Problem for a source that is switched off or cannot exist, without using the network."""
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
    """Return the file or folder with this path below the import folder. Raises Problem "not_found" or "switched_off".

    Nothing that is hidden, such as `.ssh`, is found.
    """
    root = import_root()
    try:
        found = (root / path).resolve()
        is_there = found.is_relative_to(root) and (found.is_file() or found.is_dir())
        is_there = is_there and not _is_hidden(Path(path), found.relative_to(root))
    except (OSError, ValueError, RuntimeError):  # A name is too long, has a NUL, or links lead in a circle.
        is_there = False
    if not is_there or found.is_relative_to(Path(settings.HOME).resolve()):
        raise Problem("not_found", f"The import folder has nothing called {path[:200]!r}.", 404, field="source")
    return found


def _is_hidden(*paths: Path) -> bool:
    return any(part.startswith(".") for path in paths for part in path.parts)


def list_files(path: str) -> list[Entry]:
    """Return what lies in a folder below the import folder or in a bucket (s3://...), by name; of a bucket, folders
    first.

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
    """Return what lies at a path, or None if it cannot be fetched.

    This is the case if it is a link that leads out of `root`, if it has vanished, and if its name cannot be decoded.
    """
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
def open_source(source: str, packing: Packing) -> Iterator[ReadableFile]:
    """Open a file, an object of a bucket or a URL. A folder, also one of a bucket, is packed into a zip.

    Raises Problem, and what `packing` raises.
    """
    if is_in_bucket(source):
        with open_in_bucket(place_of(source), packing) as opened:
            yield opened
        return
    if is_address(source):
        check_source(source)
        with open_address(source) as opened:
            yield opened
        return
    found = find_in_folder(source)
    if found.is_dir():
        with open_packed(found.name, _files_below(found), packing) as opened:
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
        yield ReadableFile(found.name, status.st_size, iter(lambda: file.read(PIECE), b""))


@contextmanager
def open_in_bucket(place: Place, packing: Packing) -> Iterator[ReadableFile]:
    """Open an object of a bucket, or all objects below a prefix as a zip, whatever the site allows. Raises Problem."""
    with connected(place, "source") as client:
        if place.is_folder:
            members = objects_below(client, place)
            with open_packed(place.name, members, packing) as opened:
                yield opened
        else:
            with open_object(client, place) as (size, pieces):
                yield ReadableFile(place.name, size, pieces)


def _files_below(folder: Path) -> list[Member]:
    """Return the files of a folder, but none that are hidden, outside of the import folder or in the data folder.

    Raises Problem.
    """
    root, home = import_root(), Path(settings.HOME).resolve()
    files = []
    for number, path in enumerate(folder.rglob("*"), 1):
        check_count(number)
        if not path.is_file() or _is_hidden(path.relative_to(folder)):
            continue
        real = path.resolve()
        if real.is_relative_to(root) and not real.is_relative_to(home) and not _is_hidden(real.relative_to(root)):
            files.append(Member(_name_of(path, folder), real.stat().st_size, partial(_read, path)))
    return sorted(files, key=lambda file: file.path)


def _name_of(path: Path, folder: Path) -> str:
    name = path.relative_to(folder).as_posix()
    try:
        name.encode()
    except UnicodeError:
        raise _unreadable(path) from None
    return name


def _read(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece
    except OSError:
        raise _unreadable(path) from None


def _joined(address: str, location: str) -> str:
    try:
        return urljoin(address, location)
    except ValueError:
        raise Problem("no_file", "The address leads on to one that cannot be used.", 409) from None


@contextmanager
def open_address(address: str) -> Iterator[ReadableFile]:
    """Open a URL and follow its redirects, each of which is checked as `check_target` does. Raises Problem."""
    for _ in range(MOST_REDIRECTS + 1):
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
                yield ReadableFile(name, int(length) if length.isdigit() else 0, answer.parts)
                return
        except Unreachable as error:
            raise Problem("unreachable", str(error), 409) from None
    raise Problem("no_file", f"The address leads on more than {MOST_REDIRECTS} times.", 409)
