"""Engine sessions that a worker keeps between rounds: the least recently used go when together they need too much.

A session is a cache. What it knows can be rebuilt from the database, so one is dropped at the slightest doubt.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class SessionEngine(Protocol):
    """What the cache needs of an engine (segmentation/engine.py)."""

    @property
    def nbytes(self) -> int: ...

    def close(self) -> None: ...


E = TypeVar("E", bound=SessionEngine)


@dataclass(frozen=True)
class SessionKey:
    """A video, a method, and the weights of the method."""

    video_id: int
    engine: str
    weights: str


@dataclass
class Session(Generic[E]):
    """An engine and what it has been told: the rounds of a line, oldest first, and the masks that are locked."""

    key: SessionKey
    engine: E
    line: list[int]
    locked: dict[int, int] = field(default_factory=dict)  # frame -> Mask.id

    def behind(self, line: Sequence[int]) -> list[int] | None:
        """The rounds of `line` that the session has not seen; None when it has seen others, and is of no use."""
        known = len(self.line)
        return list(line[known:]) if list(line[:known]) == self.line else None


class SessionCache(Generic[E]):
    """Sessions by key, at most one each, at most `limit` bytes together."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._sessions: OrderedDict[SessionKey, Session[E]] = OrderedDict()

    def take(self, key: SessionKey, line: Sequence[int]) -> Session[E] | None:
        """A session that can go on to `line`. It is the caller's now: what breaks is not put back."""
        session = self._sessions.pop(key, None)
        if session is None:
            return None
        if session.behind(line) is None:
            session.engine.close()
            return None
        return session

    def put(self, session: Session[E]) -> None:
        """Keep a session for the next round of its video."""
        self._sessions[session.key] = session
        while len(self._sessions) > 1 and self.nbytes > self.limit:
            self._drop_oldest()

    def clear(self) -> None:
        """Drop everything: memory ran out."""
        while self._sessions:
            self._drop_oldest()

    @property
    def nbytes(self) -> int:
        return sum(session.engine.nbytes for session in self._sessions.values())

    def _drop_oldest(self) -> None:
        _, session = self._sessions.popitem(last=False)
        session.engine.close()
