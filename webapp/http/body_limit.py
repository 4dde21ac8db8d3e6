"""A bound on request bodies. Django's ASGI handler puts a whole body on disk before it asks who sent it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Receive, Any], Awaitable[None]]

MAX_BODY = 64 << 20  # bytes; the page sends files in chunks of at most 8 MB


class BodyLimit:
    """Answers 413 to a request that announces a larger body, and hangs up on one that sends it unannounced."""

    def __init__(self, app: App, limit: int = MAX_BODY) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if _announced(scope) > self._limit:
            await _refuse(send, self._limit)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return {"type": "http.disconnect"} if received > self._limit else message

        await self._app(scope, counted, send)


def _announced(scope: Any) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0


async def _refuse(send: Send, limit: int) -> None:
    text = f"At most {limit >> 20} MB can be sent at once."
    body = json.dumps({"code": "too_large", "text": text}).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
