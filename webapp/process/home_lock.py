"""Locks on a data folder. They allow it only one `serve` at a time and, in embedded mode, only one web process.

The lock "studio" is held by `serve`, because two of them would repeat each other's work. The lock "asgi" is held by the
web process, because two with in-memory channel layers would each notify only their own browsers.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ATTEMPTS, PAUSE_SECONDS = 4, 0.05  # `holder` takes the lock for a moment, so `take` tries several times.


class HomeInUse(Exception):
    """Another process holds the lock on the data folder. The text names that process and says what to do."""


@dataclass(frozen=True)
class Holder:
    """The process that holds a lock. `address` is where it serves the page, and empty until that is known."""

    pid: int
    address: str


class HomeLock:
    """An advisory lock on HOME/<name>.lock. The system releases it when the process ends for any reason."""

    def __init__(self, home: Path, name: str) -> None:
        self._path = home / f"{name}.lock"
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take the lock. Raises HomeInUse if another process holds it."""
        file = self._path.open("a+")
        for _ in range(ATTEMPTS):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(PAUSE_SECONDS)
            else:
                self._file = file
                self.write("")
                return
        file.close()
        raise HomeInUse(self._sentence())

    def write(self, address: str) -> None:
        """Write the id of this process, and the address at which it serves the page, into the lock file."""
        assert self._file is not None, "take the lock first"
        self._file.seek(0)
        self._file.truncate()
        json.dump({"pid": os.getpid(), "address": address}, self._file)
        self._file.flush()

    def holder(self) -> Holder | None:
        """Return the process that holds the lock, or None."""
        try:
            file = self._path.open("r")
        except FileNotFoundError:
            return None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _parse(file.read())
        return None

    def _sentence(self) -> str:
        holder = _parse(self._path.read_text())
        where = f" at {holder.address}" if holder.address else ""
        return (
            f"Maskwright already runs on this data{where} (process {holder.pid}). "
            "Stop that one first, or set MASKWRIGHT_HOME to another folder for this one."
        )


def _parse(text: str) -> Holder:
    try:
        row = json.loads(text)
        return Holder(int(row["pid"]), str(row["address"]))
    except (ValueError, KeyError):  # The file is being written at this moment.
        return Holder(0, "")
