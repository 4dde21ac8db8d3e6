"""Caches that drop the least recently used entry: one with a budget in bytes, one for values that are derived from
data.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

import numpy as np

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Array = TypeVar("Array", bound=np.ndarray)  # arrays of one dtype


class ByteCache(Generic[K, Array]):
    """Arrays by key. The least recently used ones are dropped when they exceed `budget` bytes together.

    An array larger than the whole budget is not kept at all. Threads may share an instance.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.used = 0
        self._entries: OrderedDict[K, Array] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> Array | None:
        with self._lock:
            value = self._entries.get(key)
            if value is not None:
                self._entries.move_to_end(key)
            return value

    def put(self, key: K, value: Array) -> None:
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


class DigestCache(Generic[K, V]):
    """At most `limit` values by key, each with a digest of the data it was made from. Threads may share an instance."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._entries: OrderedDict[K, tuple[bytes, V]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: K, digest: bytes, make: Callable[[], V]) -> V:
        """Return the value of `key`. It is made again if `digest` has changed, by one thread at a time."""
        with self._lock:
            known = self._entries.pop(key, None)
            if known is None or known[0] != digest:
                known = digest, make()
            self._entries[key] = known
            if len(self._entries) > self.limit:
                self._entries.popitem(last=False)
            return known[1]
