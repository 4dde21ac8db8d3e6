"""Bells wake waiting processes of one machine through named pipes, so that nobody has to poll a folder or table often.

Embedded mode uses them where team mode uses Redis. A ring is only a hint and may be lost: whoever waits for one looks
for new work from time to time anyway. Where the data folder can hold no named pipes, nobody hears a ring.
"""

from __future__ import annotations

import errno
import os
import select
import time
import uuid
from pathlib import Path

SUFFIX = ".bell"
READ_BYTES = 1 << 16  # The size of a full pipe on Linux.


class Bell:
    """A named pipe in the folder `folder` through which other processes wake this one."""

    def __init__(self, folder: Path) -> None:
        self._path: Path | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            name = f"{os.getpid()}-{uuid.uuid4().hex}"
            unfinished, path = folder / f"{name}.unfinished", folder / f"{name}{SUFFIX}"
            os.mkfifo(unfinished, 0o600)
        except (OSError, AttributeError):  # The file system, or Windows, has no named pipes.
            return
        # This process keeps the writing end open as well, because a pipe without a writer counts as ready to be read.
        self._fd = os.open(unfinished, os.O_RDWR | os.O_NONBLOCK)
        unfinished.rename(path)  # Only now, because `ring` removes pipes that no process reads.
        self._path = path

    @property
    def fd(self) -> int | None:
        """The file descriptor that is ready to be read after a ring, or None if there is no pipe."""
        return None if self._path is None else self._fd

    def wait(self, seconds: float) -> bool:
        """Wait until somebody rings, or for `seconds`. Return whether somebody rang."""
        if self._path is None:
            time.sleep(seconds)
            return False
        return bool(select.select([self._fd], [], [], seconds)[0]) and bool(self.heard())

    def heard(self) -> set[str]:
        """Return the texts of all rings since the last call, without waiting."""
        if self._path is None:
            return set()
        try:
            return set(os.read(self._fd, READ_BYTES).decode().split())
        except BlockingIOError:
            return set()

    def close(self) -> None:
        """Remove the pipe. A closed bell hears nothing more."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._fd)
            self._path = None


def ring(folder: Path, text: str = "-") -> None:
    """Wake every process that has a bell in `folder`, and hand it `text`, a word of at most 100 bytes.

    Pipes of processes that have ended are removed. A process that has not read earlier rings for very long gets none.
    """
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno == errno.ENXIO:  # Nobody reads it.
                path.unlink(missing_ok=True)
            continue
        try:
            os.write(fd, f"{text}\n".encode())  # So short a text is written whole or not at all.
        except (BlockingIOError, BrokenPipeError):
            pass
        finally:
            os.close(fd)
