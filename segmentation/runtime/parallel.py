"""Two things at a time: much of a frame's work is too small to be spread over several cores by itself."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from types import TracebackType
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


class HelperThread:
    """A thread beside the caller's, from `with` on until its end.

    `halved` gives what is to hold while both compute: whatever takes several threads by itself shall take half of them.
    """

    def __init__(self, halved: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        self._halved = halved
        self._busy = Lock()
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> HelperThread:
        self._pool = ThreadPoolExecutor(1, "beside")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._pool is not None:
            self._pool.shutdown()
        self._pool = None

    def run_both(self, here: Callable[[], A], there: Callable[[], B]) -> tuple[A, B]:
        """What both calls return: made at the same time, or one after the other where the thread is at work (a call
        may have two parts itself). They must not depend on each other. When one fails, both have ended."""
        if self._pool is None or not self._busy.acquire(blocking=False):
            return here(), there()
        try:
            with self._halved():
                other = self._pool.submit(there)
                try:
                    return here(), other.result()
                finally:
                    wait([other])
        finally:
            self._busy.release()
