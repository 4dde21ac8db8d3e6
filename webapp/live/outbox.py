"""What waits to be sent to one browser. A slow browser gets the newest masks, not a queue of old ones.

Answers and rows of the change log keep their order. Only the newest mask of each frame waits, and only the newest hint
of each kind (progress, presence, leases, worker, preview).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import ClassVar

from webapp.annotation.codec import PackedMask, pack
from webapp.live.change_feed import LogEntry

BATCH_BYTES = 64 * 1024  # a binary message gets no further mask once it has this size
MOST_WAITING = 1000  # messages; a browser that is further behind gets the whole state instead

Payload = str | bytes


class Outbox:
    """The queue of one browser. The hub, the follower and the socket fill it; a task of the socket empties it."""

    replaced_hints: ClassVar[int] = 0  # How many hints of this process were never sent, because newer ones came.

    def __init__(self) -> None:
        self.filled = asyncio.Event()
        self.overflowed = False
        self._messages: deque[str | LogEntry] = deque()
        self._masks: dict[int, PackedMask] = {}
        self._hints: dict[str, Payload] = {}

    def message(self, text: str) -> None:
        """Add the answer to a message of the page (an acknowledgement, an error or a welcome)."""
        self._messages.append(text)
        self.filled.set()

    def tell(self, changes: Iterable[LogEntry]) -> None:
        """Add rows of the change log. A row that ends a round is sent after the masks that wait.

        Once there is no room for a row, no later one is taken until `forget` is called, so that no gap is hidden.
        """
        for change in changes:
            if self.overflowed or len(self._messages) >= MOST_WAITING:
                self.overflowed = True
            else:
                self._messages.append(change)
        self.filled.set()

    def masks(self, masks: Iterable[PackedMask]) -> None:
        for mask in masks:
            waiting = self._masks.get(mask.frame)
            if waiting is not None and waiting.round > mask.round:
                continue  # a person painted the frame while an older round was still running, whose mask is not wanted
            self._masks.pop(mask.frame, None)  # the newest mask goes to the end of the queue
            self._masks[mask.frame] = mask
        self.filled.set()

    def hint(self, kind: str, payload: Payload) -> None:
        """Add a message that may be lost. It replaces a waiting message of the same kind."""
        if kind in self._hints:
            Outbox.replaced_hints += 1
        self._hints[kind] = payload
        self.filled.set()

    def forget(self) -> None:
        """Drop the rows and masks that wait, because the state that is about to be sent contains them. Answers stay."""
        self._messages = deque(message for message in self._messages if isinstance(message, str))
        self._masks.clear()
        self.overflowed = False

    def next(self) -> Payload | None:
        """Return what to send next, or None if nothing waits."""
        if self._messages:
            first = self._messages[0]
            if isinstance(first, str):
                return self._messages.popleft()  # type: ignore[return-value]
            if not (first.ends and self._masks):
                self._messages.popleft()
                return first.text
        if self._masks:
            return self._batch()
        if self._hints:
            return self._hints.pop(next(iter(self._hints)))
        self.filled.clear()
        return None

    def _batch(self) -> bytes:
        batch: list[PackedMask] = []
        size = 0
        while self._masks and (not batch or size < BATCH_BYTES):
            mask = self._masks.pop(next(iter(self._masks)))
            size += len(mask.data)
            batch.append(mask)
        return pack(batch)
