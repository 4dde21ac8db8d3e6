"""Bounds on request bodies: their size, their speed, and who may send large ones.

Django's ASGI handler stores a whole body before any view runs, that is before anybody asks who sent it. So this ASGI
application wraps that handler and checks the bounds while a body arrives.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import connections
from django.http import HttpRequest

from webapp.problems import SIGNED_OUT, TOKEN_NOT_VALID

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Receive, Any], Awaitable[None]]

MAX_BODY = 2 << 20  # bytes of any request but a chunk of an upload
MAX_CHUNK = 64 << 20  # bytes; the page sends chunks of at most 8 MB
CHUNK_PATH = re.compile(r"/api/(v1/)?uploads/[0-9a-f-]{36}")

IDLE_SECONDS = 30.0  # the longest wait between two pieces of a body
GRACE_SECONDS = 60.0  # A body may take this time and, in addition, its size divided by LOWEST_RATE.
LOWEST_RATE = 8 << 10  # bytes per second


@dataclass(frozen=True)
class Refusal:
    """The answer to a request whose body is refused."""

    status: int
    code: str
    text: str


NOBODY = Refusal(401, "signed_out", SIGNED_OUT)
WRONG_TOKEN = Refusal(401, "signed_out", TOKEN_NOT_VALID)
TOO_SLOW = Refusal(408, "too_slow", "The request came too slowly. Try again on a better connection.")


def too_large(limit: int) -> Refusal:
    return Refusal(413, "too_large", f"At most {limit >> 20} MB can be sent at once.")


class BodyLimit:
    """Answers 413 to a body that is too large, 408 to one that is too slow, and 401 to a chunk of an upload that comes
    from somebody who is not signed in. `app` answers all other requests.
    """

    def __init__(
        self,
        app: App,
        max_body: int = MAX_BODY,
        max_chunk: int = MAX_CHUNK,
        accepts_token: Callable[[str], bool] = lambda token: False,
    ) -> None:
        self._app = app
        self._accepts_token = accepts_token
        self._max_body, self._max_chunk = max_body, max_chunk

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        is_chunk = scope["method"] == "PATCH" and CHUNK_PATH.fullmatch(scope["path"]) is not None
        limit = self._max_chunk if is_chunk else self._max_body
        if _announced(scope) > limit:
            await _answer(send, too_large(limit))
        elif is_chunk and not await is_signed_in(scope, self._accepts_token):
            await _answer(send, NOBODY if _token_of(scope) is None else WRONG_TOKEN)
        else:
            await self._pass_on(Body(receive, limit), scope, send)

    async def _pass_on(self, body: Body, scope: Any, send: Send) -> None:
        answered = False

        async def noting_send(message: Any) -> None:
            nonlocal answered
            answered = True
            await send(message)

        await self._app(scope, body.receive, noting_send)
        if body.refusal is not None and not answered:
            await _answer(send, body.refusal)


class Body:
    """The body of one request as it comes in.

    When it breaks a bound, `receive` returns a disconnect message, and `refusal` is the answer to the client.
    """

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._bytes = 0
        self._waited = 0.0
        self._complete = False
        self.refusal: Refusal | None = None

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()  # what comes after the body is the end of the connection, whenever that is
        message = await self._next()
        self._bytes += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._bytes > self._limit:
            self.refusal = too_large(self._limit)
        return message if self.refusal is None else {"type": "http.disconnect"}

    async def _next(self) -> Message:
        left = GRACE_SECONDS + self._bytes / LOWEST_RATE - self._waited
        start = time.monotonic()
        try:
            async with asyncio.timeout(min(IDLE_SECONDS, left)):
                return await self._receive()
        except TimeoutError:
            self.refusal = TOO_SLOW
            return {"type": "http.disconnect"}
        finally:
            self._waited += time.monotonic() - start


async def is_signed_in(scope: Any, accepts_token: Callable[[str], bool]) -> bool:
    """Return whether a request has a valid token or, without any token, the session cookie of an active user.

    Makes at most two queries, and two more to delete a session that a new password has ended.
    """
    token = _token_of(scope)
    if token is not None:
        return await sync_to_async(_closing(accepts_token), thread_sensitive=False)(token)
    header = dict(scope["headers"]).get(b"cookie", b"").decode("latin-1")
    try:
        cookie = SimpleCookie(header).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return False
    return cookie is not None and await sync_to_async(_closing(_has_user), thread_sensitive=False)(cookie.value)


def _token_of(scope: Any) -> str | None:
    """Return the token in the header `Authorization: Bearer`, or None if there is no such header."""
    scheme, _, token = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1").partition(" ")
    return token if scheme.lower() == "bearer" else None


def _has_user(session_key: str) -> bool:
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    return get_user(request).is_authenticated


def _closing(ask: Callable[[str], bool]) -> Callable[[str], bool]:
    """Return a function that calls `ask` and then closes the database connections of its thread.

    Django closes connections at the end of a request, but the thread that runs this function serves no request.
    """

    def closing(text: str) -> bool:
        try:
            return ask(text)
        finally:
            connections.close_all()

    return closing


def _announced(scope: Any) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0


async def _answer(send: Send, refusal: Refusal) -> None:
    body = json.dumps({"code": refusal.code, "text": refusal.text}).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
