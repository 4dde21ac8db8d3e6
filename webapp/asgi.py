"""The ASGI application: Django serves HTTP, Channels serves sockets, and `lifespan` starts and ends the process."""
# ruff: noqa: E402 (the apps are loaded before anything that needs them is imported)

from __future__ import annotations

import asyncio
import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

from django.core.asgi import get_asgi_application

http = get_asgi_application()

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from webapp.accounts.tokens import find_token
from webapp.http.body_limit import BodyLimit
from webapp.http.figures import Counting
from webapp.inference import workers
from webapp.live.consumer import socket_app
from webapp.live.hub import Hub
from webapp.live.origin import OwnOriginOnly
from webapp.live.project_feed import ProjectHub
from webapp.live.project_socket import project_socket_app
from webapp.live.threads import close_connections
from webapp.process.home_lock import HomeInUse, HomeLock
from webapp.storage.failure import WrongFiles
from webapp.videos.belonging import refuse_wrong_files_or_later

hub = Hub(workers.status)
project_hub = ProjectHub()


async def unknown_socket(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.close", "code": 4404})  # a close before the accept makes the server answer 403


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    """Answer the ASGI server's messages "lifespan.startup" and "lifespan.shutdown".

    Embedded mode allows one web process, because the channel layer is in its memory.
    """
    lock = HomeLock(settings.HOME, "asgi")  # the command `serve`, if it started this process, holds the lock "studio"
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                if settings.TEAM_MODE:
                    await asyncio.to_thread(refuse_wrong_files_or_later)
                else:
                    lock.take()
            except HomeInUse as problem:
                text = f"{problem} For several web processes set REDIS_URL and DATABASE_URL."
                await send({"type": "lifespan.startup.failed", "message": text})
                return
            except WrongFiles as problem:
                await send({"type": "lifespan.startup.failed", "message": str(problem)})
                return
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            close_connections()
            await send({"type": "lifespan.shutdown.complete"})
            return


addresses: list[Any] = [
    path("ws/videos/<int:video_id>", socket_app(hub)),
    path("ws/projects/<int:project_id>", project_socket_app(project_hub)),
    path("<path:address>", unknown_socket),  # type: ignore[arg-type]  # Channels uses Django's paths for its own apps
]
router = ProtocolTypeRouter(
    {
        "http": BodyLimit(http, accepts_token=lambda secret: find_token(secret) is not None),
        "websocket": OwnOriginOnly(AuthMiddlewareStack(URLRouter(addresses))),
        "lifespan": lifespan,
    }
)
# Take the address and scheme of a client from headers, but only from trusted proxies: limits on sign-in count
# addresses.
application = ProxyHeadersMiddleware(Counting(router), settings.CONFIG["MASKWRIGHT_TRUSTED_PROXIES"])
