"""The engine sessions that a worker keeps between rounds. When they need too much memory, the least recently used
session is closed.

A session is an engine that has one video open. It can be rebuilt from the database at any time, so it is dropped
whenever it might not match the rows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class SessionEngine(Protocol):
    """What the cache needs of an engine: its size in memory, and closing it. segmentation/engine.py has the full
    interface.
    """

    @property
    def nbytes(self) -> int: ...

    def close(self) -> None: ...


E = TypeVar("E", bound=SessionEngine)


@dataclass(frozen=True)
class SessionKey:
    """What identifies a session: a video, an engine, and the label of the engine's weights."""

    video_id: int
    engine: str
    weights: str


@dataclass
class Session(Generic[E]):
    """An engine with the ids of the rounds that it has seen, oldest first (`line`), and what people decided: the masks
    that are locked in it, and the spans in which objects are absent.

    A locked mask is one that a person accepted; the engine does not change it.
    """

    key: SessionKey
    engine: E
    line: list[int]
    locked: dict[int, int] = field(default_factory=dict)  # Mask.id by frame.
    absent: Mapping[int, Sequence[Sequence[int]]] = field(default_factory=dict)  # Inclusive spans by object id.

    def behind(self, line: Sequence[int]) -> list[int] | None:
        """Return the rounds of `line` (ids, oldest first) that the session has not seen yet.

        None if it has seen a round that is not in `line`: it cannot be used for `line` then.
        """
        known = len(self.line)
        return list(line[known:]) if list(line[:known]) == self.line else None


class SessionCache(Generic[E]):
    """Sessions by key, at most `limit` bytes together. The session that was put last is kept even if it is larger."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._sessions: OrderedDict[SessionKey, Session[E]] = OrderedDict()

    def take(self, key: SessionKey, line: Sequence[int]) -> Session[E] | None:
        """Remove the session for `key` from the cache and return it, or return None if there is none.

        The rounds that it has seen must be the beginning of `line`; otherwise it is closed, and None is returned. The
        caller puts the session back after success, and closes it after a failure.
        """
        session = self._sessions.pop(key, None)
        if session is None:
            return None
        if session.behind(line) is None:
            session.engine.close()
            return None
        return session

    def put(self, session: Session[E]) -> None:
        """Keep a session for the next round of its video.

        The least recently used sessions are closed while all of them together need more than `limit` bytes.
        """
        self._sessions[session.key] = session
        self._drop_to(self.limit, keep=1)

    def trim(self, others: int) -> None:
        """Close the least recently used sessions while all need more than `limit` bytes together with `others` bytes,
        which sessions outside of the cache need.
        """
        self._drop_to(self.limit - others, keep=0)

    def clear(self) -> None:
        """Close and drop all sessions, because memory ran out."""
        while self._sessions:
            self._drop_oldest()

    @property
    def nbytes(self) -> int:
        return sum(session.engine.nbytes for session in self._sessions.values())

    def _drop_to(self, limit: int, keep: int) -> None:
        while len(self._sessions) > keep and self.nbytes > limit:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, session = self._sessions.popitem(last=False)
        session.engine.close()
