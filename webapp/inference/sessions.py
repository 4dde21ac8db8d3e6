"""The engine sessions that a worker keeps between rounds. When they need too much memory, the least recently used
session is closed.

A session is an engine that has one video open. It can be rebuilt from the database at any time, so it is dropped
whenever it might not match the rows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
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
    # Mask.id by frame and object id, of the objects that are locked in a frame by themselves.
    locked_objects: dict[tuple[int, int], int] = field(default_factory=dict)
    absent: Mapping[int, Sequence[Sequence[int]]] = field(default_factory=dict)  # Inclusive spans by object id.

    def behind(self, line: Sequence[int]) -> list[int] | None:
        """Return the rounds of `line` (ids, oldest first) that the session has not seen yet.

        None if it has seen a round that is not in `line`: it cannot be used for `line` then.
        """
        known = len(self.line)
        return list(line[known:]) if list(line[:known]) == self.line else None


class SessionCache(Generic[E]):
    """Sessions by key. Sessions of the cache are closed while all, with those in use, need more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._sessions: OrderedDict[SessionKey, Session[E]] = OrderedDict()
        self._in_use: list[Session[E]] = []

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

    @contextmanager
    def in_use(self, session: Session[E]) -> Iterator[None]:
        """Count the memory of a session that is not in the cache while the block runs, and make room for it."""
        self._in_use.append(session)
        try:
            self.trim()
            yield
        finally:
            self._in_use = [other for other in self._in_use if other is not session]

    def put(self, session: Session[E]) -> None:
        """Keep a session for the next round of its video, and make room for it.

        If no session is in use, it is kept even if it is larger than the limit.
        """
        self._sessions[session.key] = session
        self._make_room(keep=0 if self._in_use else 1)

    def trim(self) -> None:
        """Close the least recently used sessions of the cache while too much memory is needed.

        A session that is in use grows while its round is computed, so this is called again and again.
        """
        self._make_room(keep=0)

    def clear(self) -> None:
        """Close and drop all sessions of the cache, because memory ran out."""
        while self._sessions:
            self._drop_oldest()

    @property
    def nbytes(self) -> int:
        """The memory of all sessions, in the cache and in use, in bytes."""
        return sum(session.engine.nbytes for session in (*self._sessions.values(), *self._in_use))

    def _make_room(self, keep: int) -> None:
        while len(self._sessions) > keep and self.nbytes > self.limit:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, session = self._sessions.popitem(last=False)
        session.engine.close()
