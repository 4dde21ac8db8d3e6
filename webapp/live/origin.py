"""Refuses sockets that pages of other sites open with the cookies of our users."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

App = Callable[[Any, Any, Any], Awaitable[None]]


class OwnOriginOnly:
    """Lets a handshake through when its page comes from the host it was sent to, or from a trusted origin.

    Stricter than a list of host names: another program's page on another port of this machine is another site.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if is_own(headers.get(b"origin", ""), headers.get(b"host", "")):
            await self.app(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 4403})  # before accept: the server answers 403


def is_own(origin: str, host: str) -> bool:
    """Whether a page of `origin` may open a socket at `host` (name:port)."""
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or not host or parts.netloc.lower() != host.lower():
        return False
    return validate_host(parts.hostname or "", _names())


def _names() -> list[str]:
    # Names in brackets are how a host header writes IPv6; urlsplit gives them without.
    return [name.strip("[]") for name in settings.ALLOWED_HOSTS]
