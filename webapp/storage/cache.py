"""A folder with copies of stored files, up to a number of bytes. The copies that were not read for longest are removed
first.

A copy may be removed at any moment, by this process or another one. Whoever has opened it reads it to its end.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

import structlog

log = structlog.get_logger(__name__)

FULL = 0.9  # The share of the bound that is left when old files have been removed.
CHECK_SHARE = 0.05  # The share of the bound that is fetched between two looks at the whole folder.
UNFINISHED = "."  # Files that are being fetched have names that begin with it.
FETCH_SECONDS = 3600.0  # An unfinished file that nothing was written to for longer belongs to a process that is gone.


class FileCache:
    """Copies of files below `root`, at most about `most` bytes.

    There are fewer if less than `spare` bytes of the disk are free. Several processes may use one folder at once, also
    for several buckets: the copies of one bucket are in the folder `part` below `root`, and the bounds are for all
    buckets together.
    """

    def __init__(self, root: Path, most: int, spare: int, part: str = "") -> None:
        self.root, self.most, self.spare = root, most, spare
        self._own = root / part
        self._lock = threading.Lock()
        self._until_check = 0  # The bytes that may still be fetched before the folder is looked at.

    def open(self, name: str, fetch: Callable[[Path], object]) -> IO[bytes]:
        """Open the copy of a file for reading. If there is none, `fetch` writes it to the path that it is called with.

        An existing copy is marked as used now, so that `shrink` removes others before it.
        """
        path = self._own / name
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return self._fetch(path, fetch)
        os.utime(file.fileno())
        return file

    def renew(self, name: str, fetch: Callable[[Path], object]) -> IO[bytes]:
        """Fetch a file that may have changed, in place of its copy, and open it. The copy stays if `fetch` fails."""
        return self._fetch(self._own / name, fetch)

    def has(self, name: str) -> bool:
        return (self._own / name).is_file()

    def forget(self, name: str) -> None:
        """Remove the copy of a file, if there is one."""
        (self._own / name).unlink(missing_ok=True)

    def _fetch(self, path: Path, fetch: Callable[[Path], object]) -> IO[bytes]:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{UNFINISHED}{uuid.uuid4().hex}")
        try:
            fetch(part)
            file = part.open("rb")
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)
        self._count(os.fstat(file.fileno()).st_size)
        return file

    def _count(self, size: int) -> None:
        """Count `size` fetched bytes. When they are a certain share of the limit (CHECK_SHARE), shrink the folder."""
        with self._lock:
            self._until_check -= size
            is_due = self._until_check < 0
            if is_due:
                self._until_check = int(self.most * CHECK_SHARE)
        if is_due:
            self.shrink()

    def shrink(self) -> None:
        """Remove the files that were not read for longest, until the folder is within its bounds."""
        found = sorted(self._files())
        used = sum(size for _, size, _ in found)
        disk = os.statvfs(self.root)
        most = min(self.most, used + disk.f_bavail * disk.f_frsize - self.spare)
        if used <= most:
            return
        begun, removed = time.monotonic(), 0
        for _, size, path in found:
            if used <= most * FULL:
                break
            path.unlink(missing_ok=True)
            used, removed = used - size, removed + 1
        log.info("cache_shrunk", files=removed, bytes=used, seconds=round(time.monotonic() - begun, 2))

    def _files(self) -> list[tuple[float, int, Path]]:
        """Return the time of the last use, the size and the path of each file that may be removed."""
        found, now = [], time.time()
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = Path(folder) / name
                with suppress(FileNotFoundError):  # Another process may remove it at the same time.
                    about = path.stat()
                    if not name.startswith(UNFINISHED) or about.st_mtime < now - FETCH_SECONDS:
                        found.append((about.st_mtime, about.st_size, path))
        return found
