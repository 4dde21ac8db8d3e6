"""Caches that drop the least recently used entry: `ByteCache` with a limit in bytes, `DigestCache` with a limit of
entries.
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
    """Arrays by key. The least recently used arrays are dropped when all together exceed `budget` bytes.

    An array larger than `budget` is not stored. Threads may share an instance.
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
    """At most `limit` values by key, each with a digest (a hash) of the data from which it was computed.

    Threads may share an instance.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._entries: OrderedDict[K, tuple[bytes, V]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: K, digest: bytes, make: Callable[[], V]) -> V:
        """Return the cached value of `key` if it was stored with this `digest`, else call `make` and store its result.

        Only one thread at a time calls `make`.
        """
        with self._lock:
            known = self._entries.pop(key, None)
            if known is None or known[0] != digest:
                known = digest, make()
            self._entries[key] = known
            if len(self._entries) > self.limit:
                self._entries.popitem(last=False)
            return known[1]
