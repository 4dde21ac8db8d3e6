"""Database work of the sockets, in threads of its own: a poll or a write that waits must not hold up the others.

Channels runs all of it in the one thread that Django keeps for code that is not thread-safe. Ours is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from django.db import close_old_connections, connections

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 8  # each keeps a connection; SQLite has one writer anyway
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="live")


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a function that asks the database."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_pool, partial(_with_connection, function, args, kwargs))


def _with_connection(function: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
    close_old_connections()
    try:
        return function(*args, **kwargs)
    finally:
        close_old_connections()


def close_connections() -> None:
    """Close the connections of all threads; new work opens new ones."""
    for _ in range(THREADS):
        _pool.submit(connections.close_all).result()
