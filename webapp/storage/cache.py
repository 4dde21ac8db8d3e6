"""A folder with copies of stored files, up to a number of bytes. Those that were not read for longest go first."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

FULL = 0.9  # The share of the bound that is left when old files have been removed.
CHECK_SHARE = 0.05  # The share of the bound that is fetched between two looks at the whole folder.


class FileCache:
    """Copies of files below `root`, at most about `most` bytes.

    There are fewer if less than `spare` bytes of the disk are free. Several processes may use one folder at once.
    """

    def __init__(self, root: Path, most: int, spare: int) -> None:
        self.root, self.most, self.spare = root, most, spare
        self._lock = threading.Lock()
        self._until_check = 0  # The bytes that may still be fetched before the folder is looked at.

    def path(self, name: str, fetch: Callable[[Path], None]) -> Path:
        """Return the path of the copy of a file. `fetch` writes it to the path that it is called with, if it is needed.

        The file is not removed before others that were not read for longer.
        """
        path = self.root / name
        try:
            os.utime(path)
        except FileNotFoundError:
            self._fetch(path, fetch)
        return path

    def has(self, name: str) -> bool:
        return (self.root / name).is_file()

    def forget(self, name: str) -> None:
        """Remove the copy of a file, if there is one."""
        (self.root / name).unlink(missing_ok=True)

    def _fetch(self, path: Path, fetch: Callable[[Path], None]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{uuid.uuid4().hex}")
        try:
            fetch(part)
            size = part.stat().st_size
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)
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
        for _, size, path in found[:-1]:  # The newest one is about to be read.
            if used <= most * FULL:
                break
            path.unlink(missing_ok=True)
            used, removed = used - size, removed + 1
        log.info("cache_shrunk", files=removed, bytes=used, seconds=round(time.monotonic() - begun, 2))

    def _files(self) -> list[tuple[float, int, Path]]:
        found = []
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = Path(folder) / name
                with suppress(FileNotFoundError):  # Another process may remove it at the same time.
                    about = path.stat()
                    found.append((about.st_mtime, about.st_size, path))
        return found
