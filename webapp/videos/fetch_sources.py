"""Opens what the server gets itself: a file or folder below the import folder, or an address.

The import folder is MASKWRIGHT_IMPORT_FOLDER. Nothing outside of it is read, also not through links, and nothing of the
data folder of the site.
"""

from __future__ import annotations

import re
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from django.conf import settings

from webapp.outgoing import Unreachable, request
from webapp.problems import Problem

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


@dataclass(frozen=True)
class Entry:
    """What lies in the import folder: its path below it, whether it is a folder, and the size of a file in bytes."""

    path: str
    is_folder: bool
    size: int


def is_address(source: str) -> bool:
    return re.match(r"[a-z][a-z0-9+.-]*://", source, re.IGNORECASE) is not None


def check_source(source: str) -> None:
    """Raise Problem for a source that is switched off or cannot be, without asking the network."""
    if not is_address(source):
        find_in_folder(source)
    elif not settings.CONFIG["MASKWRIGHT_IMPORT_ADDRESSES"]:
        text = "This site gets no files from addresses. An administrator can allow it (MASKWRIGHT_IMPORT_ADDRESSES)."
        raise Problem("switched_off", text, 409, field="source")


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


def list_folder(path: str) -> list[Entry]:
    """Return what lies in a folder below the import folder, by name. Hidden files are left out."""
    root, folder = import_root(), find_in_folder(path)
    if not folder.is_dir():
        raise Problem("not_found", f"{path[:200]!r} is a file.", 404, field="path")
    entries = []
    for child in sorted(folder.iterdir()):
        if child.name.startswith(".") or not child.resolve().is_relative_to(root):
            continue
        if child.is_dir() or child.is_file():
            size = 0 if child.is_dir() else child.stat().st_size
            entries.append(Entry(str(child.relative_to(root)), child.is_dir(), size))
        if len(entries) == MOST_LISTED:
            break
    return entries


@contextmanager
def open_source(source: str) -> Iterator[Opened]:
    """Open a file, a folder (which is packed into a zip) or an address. Raises Problem."""
    if is_address(source):
        with _open_address(source) as opened:
            yield opened
        return
    found = find_in_folder(source)
    if found.is_dir():
        with _open_folder(found) as opened:
            yield opened
        return
    with found.open("rb") as file:
        status = found.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Problem("not_found", f"{source[:200]!r} is no file.", 404, field="source")
        yield Opened(found.name, status.st_size, iter(lambda: file.read(PIECE), b""))


@contextmanager
def _open_folder(folder: Path) -> Iterator[Opened]:
    """Pack the files of a folder into a zip without compressing them, and open it."""
    root = import_root()
    with tempfile.TemporaryFile(dir=Path(settings.HOME)) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as packed:
            for number, path in enumerate(sorted(folder.rglob("*"))):
                if number >= MOST_IN_FOLDER:
                    raise Problem("too_many_files", f"The folder has more than {MOST_IN_FOLDER:,} files.", 413)
                if path.is_file() and path.resolve().is_relative_to(root):
                    packed.write(path, path.relative_to(folder.parent))
        size = file.tell()
        file.seek(0)
        yield Opened(f"{folder.name}.zip", size, iter(lambda: file.read(PIECE), b""))


@contextmanager
def _open_address(address: str) -> Iterator[Opened]:
    """Ask for an address and follow its redirects, each of which is checked. Raises Problem."""
    for _ in range(MOST_REDIRECTS + 1):
        check_source(address)
        try:
            with request("GET", address, headers={"Accept-Encoding": "identity"}) as answer:
                if answer.is_redirect:
                    address = urljoin(address, answer.headers["Location"])
                    continue
                if answer.status_code != 200:
                    raise Problem("no_file", f"The address answers {answer.status_code} instead of a file.", 409)
                length = answer.headers.get("Content-Length", "")
                name = unquote(urlsplit(address).path).rpartition("/")[2] or "video"
                yield Opened(name, int(length) if length.isdigit() else 0, answer.iter_raw(PIECE))
                return
        except Unreachable as error:
            raise Problem("unreachable", str(error), 409) from None
    raise Problem("no_file", f"The address leads on more than {MOST_REDIRECTS} times.", 409)
