"""Refuses sockets that pages of other sites open with the cookies of our users."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

App = Callable[[Any, Any, Any], Awaitable[None]]


class OwnOriginOnly:
    """Accepts a handshake if its page comes from the same host and port, or from a trusted origin.

    Comparing host names alone would accept the page of another program on another port of this machine.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if is_own(headers.get(b"origin", ""), headers.get(b"host", "")):
            await self.app(scope, receive, send)
        else:
            # a close before the accept makes the server answer 403
            await send({"type": "websocket.close", "code": 4403})


def is_own(origin: str, host: str) -> bool:
    """Return whether a page of `origin` may open a socket at `host` (name:port)."""
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or not host or parts.netloc.lower() != host.lower():
        return False
    return validate_host(parts.hostname or "", _names())


def _names() -> list[str]:
    # Settings and Host headers write IPv6 addresses in brackets; urlsplit returns them without.
    return [name.strip("[]") for name in settings.ALLOWED_HOSTS]
