"""Runs two calls at the same time. Many steps of an engine are too small to use several cores by themselves."""

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
    """A second thread for computing, which exists inside of a `with` block.

    Args:
        halved: returns a context manager that is active while both threads compute. It should halve the number of
            threads of libraries with thread pools of their own, such as OpenCV.
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
        """Run two independent calls and return both results.

        They run at the same time, or one after the other if the second thread is busy (inside of a call to this method,
        for example) or does not exist. If one of them raises an exception, it is raised here when none runs any more.
        """
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
