"""Tests of webapp/asgi.py: X-Forwarded-For and X-Forwarded-Proto are believed only if a trusted proxy sends them, and a
web process of a team does not start with files of another site.
"""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from webapp import asgi
from webapp.configuration import load
from webapp.storage.failure import WrongFiles


async def seen(client: str, proxies: str, forwarded: str, tmp_path: Any) -> tuple[str, str]:
    """Return the client's address and the scheme that the application sees for a request.

    The request comes from the address `client` with X-Forwarded-For `forwarded` and X-Forwarded-Proto "https".
    `proxies` is the setting MASKWRIGHT_TRUSTED_PROXIES.
    """
    trusted = load({"MASKWRIGHT_TRUSTED_PROXIES": proxies}, tmp_path)["MASKWRIGHT_TRUSTED_PROXIES"]
    found: list[tuple[str, str]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.append((scope["client"][0], scope["scheme"]))

    headers = [(b"x-forwarded-for", forwarded.encode()), (b"x-forwarded-proto", b"https")]
    scope: Any = {"type": "http", "client": (client, 5000), "scheme": "http", "headers": headers}
    await ProxyHeadersMiddleware(app, trusted)(scope, None, None)  # type: ignore[arg-type]
    return found[0]


@pytest.mark.parametrize(
    ("client", "proxies", "forwarded", "address", "scheme"),
    [
        ("203.0.113.9", "", "192.0.2.1", "203.0.113.9", "http"),
        ("127.0.0.1", "", "192.0.2.1", "127.0.0.1", "http"),
        ("10.0.0.2", "10.0.0.2", "192.0.2.1", "192.0.2.1", "https"),
        ("10.0.0.2", "10.0.0.0/8", "192.0.2.1", "192.0.2.1", "https"),
        ("10.0.0.2", "10.0.0.0/8", "198.51.100.66, 192.0.2.1", "192.0.2.1", "https"),
        ("10.0.0.2", "10.0.0.0/8", "198.51.100.66, 192.0.2.1, 10.0.0.3", "192.0.2.1", "https"),
        ("203.0.113.9", "10.0.0.0/8", "192.0.2.1", "203.0.113.9", "http"),
    ],
    ids=[
        "nobody is trusted",
        "not even this machine",
        "a proxy",
        "a network of proxies",
        "what the client itself added is not believed",
        "two proxies in a row",
        "a stranger who pretends to be a proxy",
    ],
)
async def test_only_trusted_proxies_say_on_whose_behalf_they_ask(
    tmp_path: Any, client: str, proxies: str, forwarded: str, address: str, scheme: str
) -> None:
    assert await seen(client, proxies, forwarded, tmp_path) == (address, scheme)


def test_the_site_is_behind_it_with_the_proxies_of_the_settings() -> None:
    assert isinstance(asgi.application, ProxyHeadersMiddleware)
    assert "127.0.0.1" not in asgi.application.trusted_hosts


async def test_wrong_files_stop_a_web_process_of_a_team(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.TEAM_MODE = True
    wrong = Mock(side_effect=WrongFiles("Not theirs.", "Correct it."))
    monkeypatch.setattr(asgi, "refuse_wrong_files_or_later", wrong)
    sent: list[dict[str, str]] = []

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    async def send(message: dict[str, str]) -> None:
        sent.append(message)

    await asgi.lifespan({"type": "lifespan"}, receive, send)
    assert sent == [{"type": "lifespan.startup.failed", "message": "Not theirs. Correct it."}]
