"""Fixtures that open a socket of the ASGI application in the test process, without a network connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.test import Client

from webapp import asgi
from webapp.accounts.models import User
from webapp.annotation.codec import PackedMask, unpack
from webapp.live.protocol import PROTOCOL_VERSION, server_messages
from webapp.live.threads import close_connections
from webapp.videos.models import Video


class Page:
    """The page's end of a socket. `seen` keeps the messages that were read, and `masks` the masks."""

    def __init__(self, communicator: ApplicationCommunicator) -> None:
        self.communicator = communicator
        self.seen: list[Any] = []
        self.masks: list[PackedMask] = []
        self.closed: int | None = None
        self.left = False

    async def post(self, kind: str, /, **fields: Any) -> str:
        """Send a message of type `kind`. Return its key, by which the answer names it.

        Messages of some types are sent without a key.
        """
        key = str(fields.pop("key", uuid4()))
        keyless = kind in ("resume", "looking", "ping", "preview.ask")
        await self.text(json.dumps({"type": kind, **({} if keyless else {"key": key}), **fields}))
        return key

    async def text(self, text: str) -> None:
        await self.communicator.send_input({"type": "websocket.receive", "text": text})

    async def data(self, data: bytes) -> None:
        await self.communicator.send_input({"type": "websocket.receive", "bytes": data})

    async def next(self, timeout: float = 5) -> Any:
        """Read the next message. Return it or, if it is binary, the list of masks in it.

        If the server has closed the socket, return the close code.
        """
        output = await self.communicator.receive_output(timeout)
        if output["type"] == "websocket.close":
            self.closed = output["code"]
            return output["code"]
        if output.get("bytes") is not None:
            masks = unpack(output["bytes"])
            self.masks += masks
            return masks
        message = server_messages.validate_json(output["text"])
        self.seen.append(message)
        return message

    async def until(self, wanted: Callable[[Any], bool], timeout: float = 10) -> Any:
        """Read messages until `wanted(message)` is true, and return that message."""
        async with asyncio.timeout(timeout):
            while not wanted(got := await self.next(timeout)):
                assert self.closed is None, f"closed with {self.closed} while waiting"
            return got

    async def kind(self, kind: str, timeout: float = 10) -> Any:
        return await self.until(lambda got: getattr(got, "type", None) == kind, timeout)

    async def answer(self, key: str) -> Any:
        """Read messages until the "ack" or "error" that answers the message with this key, and return that."""
        return await self.until(lambda got: getattr(got, "type", "") in ("ack", "error") and got.key == key)

    async def ask(self, kind: str, /, **fields: Any) -> Any:
        return await self.answer(await self.post(kind, **fields))

    async def resume(self, seq: int = 0, mask_seq: int = 0) -> Any:
        await self.post("resume", version=PROTOCOL_VERSION, seq=seq, mask_seq=mask_seq)
        return await self.kind("welcome")

    async def leave(self) -> None:
        if self.left or self.communicator.future.done():
            return
        self.left = True
        await self.communicator.send_input({"type": "websocket.disconnect", "code": 1001})
        await self.communicator.wait(timeout=5)


Open = Callable[..., Awaitable[Page]]


def cookie_of(user: User | None) -> str:
    client = Client()
    if user is not None:
        client.force_login(user)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


@pytest.fixture
async def open_socket(transactional_db: None, sent_tasks: list) -> AsyncIterator[Open]:
    """Return a function that opens a socket: `await open_socket(user, video)` returns a Page.

    With `resume=True` the page has also sent the message `resume` and received the state of the video. If the server
    refuses the socket, `closed` of the page is the close code.
    """
    pages: list[Page] = []
    asgi.hub._loop = None  # The test before ran in another event loop.

    async def make(
        user: User | None, video: Video | int, *, resume: bool = False, origin: str = "http://localhost"
    ) -> Page:
        number = video if isinstance(video, int) else video.pk
        headers = [(b"host", b"localhost"), (b"origin", origin.encode())]
        cookie = await sync_to_async(cookie_of)(user)
        headers.append((b"cookie", cookie.encode()))
        scope = {"type": "websocket", "path": f"/ws/videos/{number}", "headers": headers, "query_string": b""}
        communicator = ApplicationCommunicator(asgi.application, scope)
        page = Page(communicator)
        await communicator.send_input({"type": "websocket.connect"})
        answer = await communicator.receive_output(5)
        if answer["type"] != "websocket.accept":
            page.closed = answer["code"]
            return page
        pages.append(page)
        if resume:
            await page.resume()
        return page

    assert "localhost" in settings.ALLOWED_HOSTS
    yield make
    for page in pages:
        await page.leave()
    await sync_to_async(close_connections)()
