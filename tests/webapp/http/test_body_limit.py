"""Tests that request bodies are limited in size and time, and that only signed-in users may send large ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from webapp.accounts.models import User
from webapp.asgi import application
from webapp.http import body_limit
from webapp.http.body_limit import MAX_BODY, MAX_CHUNK, BodyLimit

CHUNK_ADDRESS = "/api/uploads/0f8fad5b-d9cb-469f-a165-70867728950e"


class Ends:
    """Has the ASGI callables `receive` and `send` for one request. `sent` keeps what the application sends.

    The body arrives in `parts`. A number among the parts is a pause of so many seconds.
    """

    def __init__(self, *parts: bytes | float) -> None:
        self.sent: list[Any] = []
        self.parts = list(parts)

    async def receive(self) -> dict[str, Any]:
        while self.parts and isinstance(self.parts[0], int | float):
            pause = self.parts[0]
            await asyncio.sleep(pause)
            self.parts.pop(0)
        if not self.parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": self.parts.pop(0), "more_body": bool(self.parts)}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def refusal(self) -> tuple[int, str]:
        start, body = self.sent
        assert (b"connection", b"close") in start["headers"]
        return start["status"], json.loads(body["body"])["code"]


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """ASGI application that sends the whole request body back. It sends nothing if the client disconnects."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        if not message["more_body"]:
            await send(body)
            return


def scope(*headers: tuple[bytes, bytes], method: str = "POST", path: str = "/api/projects") -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path, "headers": list(headers)}


async def test_a_body_within_the_limit_arrives_whole() -> None:
    ends = Ends(b"abc", b"def", b"ghij")
    await BodyLimit(echo, 10)(scope((b"content-length", b"10")), ends.receive, ends.send)
    assert ends.sent == [b"abcdefghij"]


async def test_a_larger_one_is_refused_before_it_is_read() -> None:
    ends = Ends(b"abc", b"def")
    await BodyLimit(echo, 5)(scope((b"content-length", b"6")), ends.receive, ends.send)
    assert ends.refusal == (413, "too_large")
    assert len(ends.parts) == 2


@pytest.mark.parametrize("headers", [(), ((b"content-length", b"3"),), ((b"content-length", b"many"),)])
async def test_one_that_is_larger_than_it_says_is_cut_off(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    ends = Ends(b"abc", b"def", b"ghi")
    await BodyLimit(echo, 5)(scope(*headers), ends.receive, ends.send)
    assert ends.refusal == (413, "too_large")
    assert ends.parts == [b"ghi"]


async def test_a_body_that_stops_arriving_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "IDLE_SECONDS", 0.05)
    ends = Ends(b"abc", 5, b"def")
    async with asyncio.timeout(2):
        await BodyLimit(echo)(scope(), ends.receive, ends.send)
    assert ends.refusal == (408, "too_slow")


async def test_one_that_comes_drop_by_drop_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part of the body arrives before the time limit for a part, but the whole body arrives too slowly."""
    monkeypatch.setattr(body_limit, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(body_limit, "LOWEST_RATE", 1000)
    ends = Ends(*[part for _ in range(1000) for part in (b"a", 0.03)])
    async with asyncio.timeout(5):
        await BodyLimit(echo)(scope(), ends.receive, ends.send)
    assert ends.refusal == (408, "too_slow")
    assert len(ends.parts) > 1900


async def test_a_large_one_has_the_time_that_a_slow_line_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(body_limit, "LOWEST_RATE", 100)
    ends = Ends(*[part for _ in range(20) for part in (b"a" * 100, 0.03)], b"end")
    await BodyLimit(echo)(scope(), ends.receive, ends.send)
    assert ends.sent == [b"a" * 2000 + b"end"]


async def test_an_answer_may_take_as_long_as_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time limits are for receiving the body only, not for the time that the application takes to answer.

    While a view works, Django waits in `receive` for a disconnect, as the application `waits` does here.
    """
    monkeypatch.setattr(body_limit, "IDLE_SECONDS", 0.02)
    heard: list[Any] = []

    async def waits(scope: Any, receive: Any, send: Any) -> None:
        heard.extend([await receive(), await receive()])
        await send("answer")

    ends = Ends(b"")
    ends.receive = slow(ends.receive)  # type: ignore[method-assign]
    await BodyLimit(waits)(scope(), ends.receive, ends.send)
    assert ends.sent == ["answer"]


def slow(receive: Callable[[], Any]) -> Callable[[], Any]:
    calls = 0

    async def later() -> Any:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.2 if calls > 1 else 0)
        return await receive()

    return later


async def send_chunk(size: int, *cookies: str, path: str = CHUNK_ADDRESS, method: str = "PATCH") -> Ends:
    ends = Ends(b"a" * size)
    headers = [(b"content-length", str(size).encode()), *((b"cookie", cookie.encode()) for cookie in cookies)]
    await BodyLimit(echo)(scope(*headers, method=method, path=path), ends.receive, ends.send)
    return ends


def cookie_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return f"theme=dark; sessionid={client.cookies['sessionid'].value}"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("cookies", [(), ("sessionid=guess",), ("sessionid",), ("=;;\x00",)])
async def test_a_chunk_of_a_stranger_is_not_stored(cookies: tuple[str, ...]) -> None:
    ends = await send_chunk(MAX_BODY + 1, *cookies)
    assert ends.refusal == (401, "signed_out")
    assert len(ends.parts) == 1, "the body was not read"


@pytest.mark.django_db(transaction=True)
async def test_a_chunk_of_somebody_who_is_signed_in_arrives(owner: User) -> None:
    cookie = await sync_to_async(cookie_of)(owner)
    assert (await send_chunk(MAX_BODY + 1, cookie)).sent == [b"a" * (MAX_BODY + 1)]
    owner.is_active = False
    await sync_to_async(owner.save)()
    assert (await send_chunk(10, cookie)).refusal == (401, "signed_out")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", CHUNK_ADDRESS), ("PATCH", "/api/me"), ("PATCH", CHUNK_ADDRESS + "/finish")]
)
async def test_only_a_chunk_may_be_large(owner: User, method: str, path: str) -> None:
    cookie = await sync_to_async(cookie_of)(owner)
    assert (await send_chunk(MAX_BODY + 1, cookie, path=path, method=method)).refusal == (413, "too_large")


@pytest.mark.parametrize(
    ("method", "path", "size"), [("POST", "/api/sign-in", MAX_BODY), ("PATCH", CHUNK_ADDRESS, MAX_CHUNK)]
)
async def test_the_site_is_behind_it(method: str, path: str, size: int) -> None:
    ends = Ends(b"")
    announced = (b"content-length", str(size + 1).encode())
    request = {"raw_path": path.encode(), "query_string": b"", "client": ("192.0.2.7", 1)}
    await application({**scope(announced, method=method, path=path), **request}, ends.receive, ends.send)  # type: ignore[arg-type]
    assert ends.refusal == (413, "too_large")
