"""The browser's socket on a project. Through it the server tells the page which videos have changed; the page sends
nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog
from django.db import DatabaseError

from webapp.live.project_feed import ProjectHub
from webapp.live.protocol import VideosChanged
from webapp.live.socket_auth import CloseSocket, Handshake, check_project, handshake_of
from webapp.live.threads import in_thread
from webapp.projects.access import allows
from webapp.projects.models import Role
from webapp.videos.access import videos_of

log = structlog.get_logger(__name__)

CHECK_SECONDS = 5.0


class ProjectSocket:
    """The socket of one page that shows the list of a project."""

    def __init__(self, hub: ProjectHub, project_id: int, scope: Any, receive: Any, send: Any) -> None:
        self.hub, self.project_id = hub, project_id
        self.scope, self._receive, self._send = scope, receive, send
        self.handshake: Handshake
        self._visible: set[int] | None = None  # The videos that the person sees; None: all of the project.

    async def run(self) -> None:
        """Serve the connection from its handshake to its end."""
        if (await self._receive())["type"] != "websocket.connect":
            return
        await self._send({"type": "websocket.accept"})  # A page sees close codes only on an accepted socket.
        try:
            self.handshake = handshake_of(self.scope, self.project_id)
            await in_thread(self._check, opened=False)
        except CloseSocket as reason:
            await self._close(reason.code)
            return
        watcher = await self.hub.join(self.project_id)
        # What changed before this moment is not told, so the page loads its list now.
        watcher.tell(VideosChanged(type="videos.changed", changed=[], progress=[], all=True))
        parts = (self._wait_for_end(), self._tell(watcher.next), self._keep_checking())
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.hub.leave(self.project_id, watcher)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, CloseSocket):
                await self._close(result.code)
            elif isinstance(result, Exception) and not isinstance(result, OSError):
                raise result

    def _check(self, *, opened: bool) -> None:
        """Check that the person may still get messages about the project, and note which videos they see."""
        user, role = check_project(self.handshake, opened=opened)
        if allows(role, Role.REVIEWER):
            self._visible = None
        else:
            self._visible = set(videos_of(user).filter(project_id=self.project_id).values_list("pk", flat=True))

    async def _wait_for_end(self) -> None:
        while (await self._receive())["type"] != "websocket.disconnect":
            pass  # What a page sends has no meaning here.

    async def _tell(self, next_message: Callable[[], Awaitable[VideosChanged]]) -> None:
        while True:
            message = await next_message()
            if self._visible is not None:
                message = await in_thread(self._for_me, message, self._visible)
            if message.changed or message.progress or message.all:
                await self._send({"type": "websocket.send", "text": message.model_dump_json()})

    def _for_me(self, message: VideosChanged, before: set[int]) -> VideosChanged:
        """Leave out of a message the videos that the person neither sees now nor saw before (`before`)."""
        self._check(opened=True)
        if self._visible is None:
            return message
        known = before | self._visible
        return VideosChanged(
            type="videos.changed",
            changed=[pk for pk in message.changed if pk in known],
            progress=[item for item in message.progress if item.video in known],
            all=message.all,
        )

    async def _keep_checking(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                await in_thread(self._check, opened=True)
            except DatabaseError as error:
                log.warning("handshake_not_checked", project=self.project_id, error=str(error))

    async def _close(self, code: int) -> None:
        with suppress(OSError):  # The browser may be gone by now.
            await self._send({"type": "websocket.close", "code": code})


def project_socket_app(hub: ProjectHub) -> Any:
    """Return the ASGI application that serves the sockets on projects."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        await ProjectSocket(hub, scope["url_route"]["kwargs"]["project_id"], scope, receive, send).run()

    return serve
