"""Computes what the next frames of a round need in a second thread, while the first thread makes masks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

import torch

DEPTH = 4  # How many frames the second thread is ahead at most, so that the cache still has them when they are needed.

Result = TypeVar("Result")


class StepsAhead(Generic[Result]):
    """Calls a function of frames ahead in a second thread, in the order in which a round needs the results.

    Use it in a `with` block.

    Where PyTorch may use one thread only, no result is computed before it is requested.

    Args:
        compute: a function of a frame and the adjacent frame from which it is segmented.
        steps: the arguments of each call.
    """

    def __init__(self, compute: Callable[[int, int], Result], steps: Iterable[tuple[int, int]]) -> None:
        self._compute, self._steps = compute, list(steps)
        self._place = {frame: place for place, (frame, _) in enumerate(self._steps)}
        self._begun = 0
        self._running: dict[int, Future[Result]] = {}  # by place; results that were asked for are no longer kept
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> StepsAhead[Result]:
        if torch.get_num_threads() > 1:
            self._pool = ThreadPoolExecutor(1, "features")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._pool = None

    def of(self, frame: int) -> Result:
        """Return the result for a frame, which may be requested once in a round, and begin to compute those of the next
        frames.

        Raises KeyError for a frame that is in no step, and whatever the function raises for this frame.
        """
        place = self._place[frame]
        if self._pool is None:
            return self._compute(*self._steps[place])
        end = max(self._begun, min(place + 1 + DEPTH, len(self._steps)))
        for each in range(self._begun, end):
            self._running[each] = self._pool.submit(self._compute, *self._steps[each])
        self._begun = end
        return self._running.pop(place).result()
