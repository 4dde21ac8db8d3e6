"""Limits how many messages a browser may send (a token bucket)."""

from __future__ import annotations

import time


class Bucket:
    """Allows `size` messages at once and `rate` messages a second."""

    def __init__(self, size: float, rate: float) -> None:
        self.size = size
        self.rate = rate
        self._level = size
        self._at = time.monotonic()

    def take(self) -> bool:
        """Take one message from the bucket. Returns False if it is empty."""
        now = time.monotonic()
        self._level = min(self.size, self._level + (now - self._at) * self.rate)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True
