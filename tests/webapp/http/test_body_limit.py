"""No request puts more on disk than a chunk of an upload may have."""

from __future__ import annotations

import json
from typing import Any

import pytest

from webapp.asgi import application
from webapp.http.body_limit import MAX_BODY, BodyLimit


class Client:
    """The two ends that a server hands to an application."""

    def __init__(self, *parts: bytes) -> None:
        self.sent: list[Any] = []
        self.parts = list(parts)

    async def receive(self) -> dict[str, Any]:
        if not self.parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": self.parts.pop(0), "more_body": bool(self.parts)}

    async def send(self, message: Any) -> None:
        self.sent.append(message)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what it was sent, as Django does: the whole body first."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            await send("disconnected")
            return
        body += message["body"]
        if not message["more_body"]:
            await send(body)
            return


def scope(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http", "headers": list(headers)}


async def test_a_body_within_the_limit_arrives_whole() -> None:
    client = Client(b"abc", b"def", b"ghij")
    await BodyLimit(echo, 10)(scope((b"content-length", b"10")), client.receive, client.send)
    assert client.sent == [b"abcdefghij"]


async def test_a_larger_one_is_refused_before_it_is_read() -> None:
    client = Client(b"abc", b"def")
    await BodyLimit(echo, 5)(scope((b"content-length", b"6")), client.receive, client.send)
    start, body = client.sent
    assert start["status"] == 413
    assert json.loads(body["body"])["code"] == "too_large"
    assert len(client.parts) == 2


@pytest.mark.parametrize("headers", [(), ((b"content-length", b"3"),), ((b"content-length", b"many"),)])
async def test_one_that_is_larger_than_it_says_is_cut_off(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    client = Client(b"abc", b"def", b"ghi")
    await BodyLimit(echo, 5)(scope(*headers), client.receive, client.send)
    assert client.sent == ["disconnected"]
    assert client.parts == [b"ghi"]


async def test_the_site_is_behind_it() -> None:
    client = Client(b"")
    announced = (b"content-length", str(MAX_BODY + 1).encode())
    request = {"method": "POST", "path": "/api/sign-in", "raw_path": b"/api/sign-in", "query_string": b""}
    await application({**scope(announced), **request}, client.receive, client.send)
    assert client.sent[0]["status"] == 413
