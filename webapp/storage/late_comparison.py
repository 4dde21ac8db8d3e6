"""Compares the stored files with the database later, if one of the two was away when this process started."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable

import structlog

from webapp.storage.failure import StorageAway, WrongFiles

log = structlog.get_logger(__name__)


class LateComparison:
    """A comparison that must be made before this process uses the stored files.

    While it fails, no file is read or written. It is tried again with each use, because `fsck --adopt` of another
    process may put the site in order.
    """

    def __init__(self) -> None:
        self._compare: Callable[[], None] | None = None
        self._lock = threading.RLock()
        self._is_running = False  # It is read and set only by the thread that holds the lock.
        self.is_refused = False  # Whether the last comparison found that the files do not belong to the database.

    def demand(self, compare: Callable[[], None]) -> None:
        """Let `compare` be called before the next use of the stored files. It raises WrongFiles if they are wrong."""
        self._compare = compare

    def make_if_demanded(self) -> None:
        """Make the comparison, unless none is to be made. Raises StorageAway, whose text says what to do, if the files
        are wrong, and what the comparison raises if storage or database are away.
        """
        if self._compare is None:
            return
        with self._lock:
            if self._compare is None or self._is_running:  # The comparison itself reads the stored files.
                return
            self._is_running = True
            try:
                self._compare()
            except WrongFiles as problem:
                if not self.is_refused:
                    log.error("files_refused", error=str(problem))
                self.is_refused = True
                raise StorageAway(errno.EACCES, str(problem)) from None
            finally:
                self._is_running = False
            self._compare, self.is_refused = None, False
        log.info("files_compared")


late_comparison = LateComparison()
