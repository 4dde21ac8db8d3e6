"""Stores heartbeats from a thread.

A task whose heartbeat is recent counts as alive, so a single step of it may take as long as it needs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from django.db import DatabaseError, InterfaceError, connection

log = structlog.get_logger(__name__)


@contextmanager
def beating(beat: Callable[[], object], seconds: float, **what: object) -> Iterator[None]:
    """Call `beat`, which stores a heartbeat, every `seconds` seconds in a thread while the block runs.

    `what` is added to the log message about a missed heartbeat, for example round=7.
    """
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(seconds):
            try:
                beat()
            except (DatabaseError, InterfaceError) as error:
                log.warning("heartbeat_missed", **what, error=str(error))
                connection.close()
        connection.close()

    thread = threading.Thread(target=run, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
