"""Tests that a query is repeated once if the database has closed the connection that a thread had kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError

from webapp.live import threads
from webapp.live.threads import _with_connection

GONE = OperationalError("server closed the connection unexpectedly")


def failing(*errors: Exception) -> tuple[Callable[[], str], list[int]]:
    """Return a function, and a list that gets an entry for each call of it.

    The function raises the next of `errors` at each call. When there are none left, it returns "answer".
    """
    calls: list[int] = []

    def ask() -> str:
        calls.append(1)
        if len(calls) <= len(errors):
            raise errors[len(calls) - 1]
        return "answer"

    return ask, calls


class Connection:
    """Fake database connection that a thread of a pool has kept from an earlier request."""

    def __init__(self) -> None:
        self.connection: object | None = object()
        self.usable = True

    def is_usable(self) -> bool:
        return self.usable

    def close(self) -> None:
        self.connection = None


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Connection:
    monkeypatch.setattr(threads, "connection", Connection())
    return threads.connection  # type: ignore[return-value]


@pytest.fixture
def lost(kept: Connection) -> Connection:
    """Return a kept connection that the database has closed, as it does when it restarts."""
    kept.usable = False
    return kept


@pytest.mark.parametrize("error", [GONE, InterfaceError("connection already closed")])
def test_a_kept_connection_that_was_lost_costs_nothing(lost: Connection, error: Exception) -> None:
    ask, calls = failing(error)
    assert _with_connection(ask, (), {}) == "answer"
    assert len(calls) == 2


@pytest.mark.parametrize("error", [GONE, InterfaceError("connection already closed")])
def test_it_is_tried_twice_and_no_more(lost: Connection, error: Exception) -> None:
    ask, calls = failing(error, error, error)
    with pytest.raises(DatabaseError):
        _with_connection(ask, (), {})
    assert len(calls) == 2


def test_a_connection_that_django_dropped_in_a_transaction_is_lost_too(kept: Connection) -> None:
    calls: list[int] = []

    def write() -> str:
        calls.append(1)
        if len(calls) == 1:
            kept.close()
            raise GONE
        return "answer"

    assert _with_connection(write, (), {}) == "answer"


def test_a_database_that_is_locked_is_not_asked_again(kept: Connection) -> None:
    ask, calls = failing(OperationalError("database is locked"))
    with pytest.raises(OperationalError, match="locked"):
        _with_connection(ask, (), {})
    assert len(calls) == 1


def test_a_new_connection_that_fails_is_not_tried_again(lost: Connection) -> None:
    lost.close()
    ask, calls = failing(GONE)
    with pytest.raises(OperationalError):
        _with_connection(ask, (), {})
    assert len(calls) == 1
