"""Engine sessions that a worker keeps between rounds: the least recently used go when together they need too much.

A session is a cache: it can be rebuilt from the database, so it is dropped whenever it might not match the rows.
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
    """What a session is for: a video, an engine, and the label of the engine's weights."""

    video_id: int
    engine: str
    weights: str


@dataclass
class Session(Generic[E]):
    """An engine with the rounds that it has seen, oldest first, and the masks that are locked in it."""

    key: SessionKey
    engine: E
    line: list[int]
    locked: dict[int, int] = field(default_factory=dict)  # frame -> Mask.id

    def behind(self, line: Sequence[int]) -> list[int] | None:
        """Return the rounds of `line` that the session has not seen yet; None if it has seen rounds outside of
        `line`.
        """
        known = len(self.line)
        return list(line[known:]) if list(line[:known]) == self.line else None


class SessionCache(Generic[E]):
    """Sessions by key, at most one each, at most `limit` bytes together."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._sessions: OrderedDict[SessionKey, Session[E]] = OrderedDict()

    def take(self, key: SessionKey, line: Sequence[int]) -> Session[E] | None:
        """Take a session out of the cache that has seen a beginning of `line`.

        The caller puts it back if it is intact.
        """
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
