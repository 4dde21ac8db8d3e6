"""Tests of the cache of sessions: which session it returns for a round, and which it closes when it is full."""

from __future__ import annotations

from dataclasses import dataclass, field

from webapp.inference.sessions import Session, SessionCache, SessionKey


@dataclass
class Engine:
    nbytes: int = 10
    closed: list[bool] = field(default_factory=list)

    def close(self) -> None:
        self.closed.append(True)


def session(video: int, line: list[int], nbytes: int = 10) -> Session[Engine]:
    return Session(SessionKey(video, "fake", ""), Engine(nbytes), line)


def test_a_session_goes_on_along_its_line() -> None:
    cache: SessionCache[Engine] = SessionCache(100)
    kept = session(1, [1, 2])
    cache.put(kept)
    assert cache.take(kept.key, [1, 2, 5]) is kept
    assert kept.behind([1, 2, 5]) == [5]
    assert cache.take(kept.key, [1, 2, 5]) is None, "it is the taker's now"


def test_a_session_of_another_branch_is_of_no_use() -> None:
    cache: SessionCache[Engine] = SessionCache(100)
    kept = session(1, [1, 2])
    cache.put(kept)
    assert cache.take(kept.key, [1, 3]) is None
    assert kept.engine.closed == [True]


def test_a_session_that_is_ahead_is_of_no_use() -> None:
    assert session(1, [1, 2]).behind([1]) is None


def test_other_weights_are_another_session() -> None:
    cache: SessionCache[Engine] = SessionCache(100)
    cache.put(session(1, [1]))
    assert cache.take(SessionKey(1, "fake", "other"), [1]) is None


def test_the_least_recently_used_sessions_are_evicted_first() -> None:
    cache: SessionCache[Engine] = SessionCache(25)
    first, second, third = session(1, [1]), session(2, [2]), session(3, [3])
    cache.put(first)
    cache.put(second)
    taken = cache.take(first.key, [1])
    assert taken is first
    cache.put(taken)
    cache.put(third)
    assert second.engine.closed == [True]
    assert first.engine.closed == third.engine.closed == []
    assert cache.nbytes == 20


def test_one_session_is_kept_however_large() -> None:
    cache: SessionCache[Engine] = SessionCache(5)
    large = session(1, [1], nbytes=50)
    cache.put(large)
    assert cache.take(large.key, [1]) is large


def test_clearing_closes_everything() -> None:
    cache: SessionCache[Engine] = SessionCache(100)
    kept = [session(number, [number]) for number in range(3)]
    for opened in kept:
        cache.put(opened)
    cache.clear()
    assert [opened.engine.closed for opened in kept] == [[True]] * 3
    assert cache.nbytes == 0


def test_sessions_make_room_for_those_that_are_in_use_and_grow() -> None:
    cache: SessionCache[Engine] = SessionCache(100)
    kept = [session(number, [number], nbytes=30) for number in range(3)]
    for opened in kept:
        cache.put(opened)
    used, answered = session(8, [8], nbytes=60), session(9, [9], nbytes=30)
    with cache.in_use(used):
        assert [opened.engine.closed for opened in kept] == [[True], [True], []]
        used.engine.nbytes = 80
        cache.trim()
        assert kept[2].engine.closed == [True]
        cache.put(answered)  # The session of a preview, which is answered while the round is computed.
        assert answered.engine.closed == [True]
        assert cache.nbytes == 80
    assert used.engine.closed == []
    assert cache.nbytes == 0
