"""Database work of the sockets, in threads of its own: a poll or a write that waits must not hold up the others.

Channels runs all of it in the one thread that Django keeps for code that is not thread-safe. Ours is.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 8  # each keeps its connection: opening one costs more than most questions
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="live")


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a function that asks the database.

    It is run twice when it meets a kept connection that was lost meanwhile (the database was restarted, say): it may
    change only what it changes once, however often it is run. Questions and messages with a receipt are so.
    """
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_pool, partial(_with_connection, function, args, kwargs))


def _with_connection(
    function: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any], *, again: bool = True
) -> R:
    kept = connection.connection is not None
    try:
        return function(*args, **kwargs)
    except (DatabaseError, InterfaceError) as error:
        lost = again and kept and isinstance(error, OperationalError | InterfaceError) and _is_lost()
        connection.close()  # it may be broken; the next call opens another one
        if not lost:
            if isinstance(error, InterfaceError):  # which is no DatabaseError: callers need to know of one kind only
                raise OperationalError(str(error)) from error
            raise
    return _with_connection(function, args, kwargs, again=False)


def _is_lost() -> bool:
    """Whether this thread's connection is gone: Django drops one that it cannot roll back. A locked one is not lost."""
    return connection.connection is None or not connection.is_usable()


def close_connections() -> None:
    """Close the connections of all threads; new work opens new ones."""
    everyone = threading.Barrier(THREADS)

    def close() -> None:
        everyone.wait()  # so that no thread takes two of these
        connection.close()

    for closed in [_pool.submit(close) for _ in range(THREADS)]:
        closed.result()
