"""Runs the database work of the sockets in threads of its own, so that a slow query does not delay other sockets.

Channels would run all of it in the single thread that Django keeps for code that is not thread-safe.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, ParamSpec, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 8  # each keeps its connection, because opening one takes longer than most queries
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="live")


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a function that uses the database in one of the threads, and return its result.

    If the database connection turns out to be lost, for example because the database was restarted, the function runs a
    second time. It must therefore have the same effect if it runs twice; reads and messages with a receipt do.
    """
    loop = asyncio.get_running_loop()
    context = copy_context()  # so that what the thread logs names the video of the socket
    return await loop.run_in_executor(_pool, partial(context.run, _with_connection, function, args, kwargs))


def _with_connection(
    function: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any], *, again: bool = True
) -> R:
    kept = connection.connection is not None
    try:
        return function(*args, **kwargs)
    except (DatabaseError, InterfaceError) as error:
        lost = again and kept and isinstance(error, OperationalError | InterfaceError) and _is_lost()
        connection.close()  # the next call opens a new one
        if not lost:
            if isinstance(error, InterfaceError):  # callers handle DatabaseError, which this is not
                raise OperationalError(str(error)) from error
            raise
    return _with_connection(function, args, kwargs, again=False)


def _is_lost() -> bool:
    """Return whether this thread's connection to the database is lost. Django drops a connection that it cannot roll
    back.
    """
    return connection.connection is None or not connection.is_usable()


def close_connections() -> None:
    """Close the connections of all threads; new work opens new ones."""
    everyone = threading.Barrier(THREADS)

    def close() -> None:
        everyone.wait()  # makes every thread take one of these tasks
        connection.close()

    for closed in [_pool.submit(close) for _ in range(THREADS)]:
        closed.result()
