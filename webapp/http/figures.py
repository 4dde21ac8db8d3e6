"""Counts what this web process does, for /metrics: its open sockets, and its answers to requests by their status."""

from __future__ import annotations

from collections import Counter
from typing import Any

open_sockets = 0
answers: Counter[int] = Counter()  # The number of answers with each HTTP status since this process started.


class Counting:
    """The ASGI application `app`, whose sockets and answers are counted. The event loop of the process calls it."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await _serve_socket(self.app, scope, receive, send)
            return

        async def count_and_send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answers[message["status"]] += 1
            await send(message)

        await self.app(scope, receive, count_and_send)


async def _serve_socket(app: Any, scope: Any, receive: Any, send: Any) -> None:
    global open_sockets
    open_sockets += 1
    try:
        await app(scope, receive, send)
    finally:
        open_sockets -= 1
