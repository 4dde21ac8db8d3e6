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

from django.db import DatabaseError, connection

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 8  # each keeps its connection: opening one costs more than most questions
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="live")


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a function that asks the database."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_pool, partial(_with_connection, function, args, kwargs))


def _with_connection(function: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
    try:
        return function(*args, **kwargs)
    except DatabaseError:
        connection.close()  # it may be broken; the next call opens another one
        raise


def close_connections() -> None:
    """Close the connections of all threads; new work opens new ones."""
    everyone = threading.Barrier(THREADS)

    def close() -> None:
        everyone.wait()  # so that no thread takes two of these
        connection.close()

    for closed in [_pool.submit(close) for _ in range(THREADS)]:
        closed.result()
