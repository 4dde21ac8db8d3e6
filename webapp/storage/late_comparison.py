"""Compares the stored files with the database later, if one of the two was away when this process started."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable

import structlog
from django.db import DatabaseError

from webapp.storage.failure import StorageAway, WrongFiles

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 5.0  # After a comparison that could not be made, the next one is tried this much later.


class LateComparison:
    """A comparison that must be made before this process uses the stored files.

    While it fails, no file is read or written. It is tried again with each use, because `fsck --adopt` of another
    process may put the site in order; but not for `PAUSE_SECONDS` after storage or database were away, because requests
    that wait for the same outage one after the other would take up all threads of a web process.
    """

    def __init__(self) -> None:
        self._compare: Callable[[], None] | None = None
        self._lock = threading.RLock()
        self._is_running = False  # It is read and set only by the thread that holds the lock.
        self._away = ""  # What the last comparison said, if storage or database were away.
        self._away_at = float("-inf")
        self.is_refused = False  # Whether the last comparison found that the files do not belong to the database.

    def demand(self, compare: Callable[[], None]) -> None:
        """Let `compare` be called before the next use of the stored files. It raises WrongFiles if they are wrong."""
        self._compare, self._away_at = compare, float("-inf")

    def make_if_demanded(self) -> None:
        """Make the comparison, unless none is to be made. Raises StorageAway, whose text says what to do, if the files
        are wrong, and what the comparison raises if storage or database are away: StorageAway if it was so just now.
        """
        if self._compare is None:
            return
        with self._lock:
            if self._compare is None or self._is_running:  # The comparison itself reads the stored files.
                return
            if time.monotonic() - self._away_at < PAUSE_SECONDS:
                raise StorageAway(errno.EIO, self._away)
            self._is_running = True
            try:
                self._compare()
            except WrongFiles as problem:
                if not self.is_refused:
                    log.error("files_refused", error=str(problem))
                self.is_refused = True
                raise StorageAway(errno.EACCES, str(problem)) from None
            except (DatabaseError, OSError) as error:
                self._away, self._away_at = str(error), time.monotonic()
                raise
            finally:
                self._is_running = False
            self._compare, self.is_refused = None, False
        log.info("files_compared")


late_comparison = LateComparison()
