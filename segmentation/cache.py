"""A cache of arrays, least recently used out first, with a budget in bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Any, Generic, TypeVar

from numpy.typing import NDArray

K = TypeVar("K", bound=Hashable)


class ByteCache(Generic[K]):
    """Arrays by key; the least recently used leave when `budget` bytes are exceeded. Safe to share between threads.

    An array larger than the whole budget is not kept at all.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.used = 0
        self._entries: OrderedDict[K, NDArray[Any]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> NDArray[Any] | None:
        with self._lock:
            value = self._entries.get(key)
            if value is not None:
                self._entries.move_to_end(key)
            return value

    def put(self, key: K, value: NDArray[Any]) -> None:
        with self._lock:
            self._drop(key)
            if value.nbytes > self.budget:
                return
            self._entries[key] = value
            self.used += value.nbytes
            while self.used > self.budget:
                self._drop(next(iter(self._entries)))

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self.used = 0

    def _drop(self, key: K) -> None:
        old = self._entries.pop(key, None)
        if old is not None:
            self.used -= old.nbytes
