"""Tests the ids of requests: each answer has one, and a proxy may set it."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, RequestFactory
from structlog.contextvars import get_contextvars

from webapp.http.request_id import RequestId


def test_an_answer_has_an_id_of_its_own() -> None:
    client = Client()
    first, second = (client.get("/healthz").headers["X-Request-ID"] for _ in range(2))
    assert first != second
    assert len(first) == 16


async def test_it_is_there_under_asgi_too() -> None:
    answer = await AsyncClient().get("/healthz", headers={"X-Request-ID": "proxy-17"})
    assert answer.headers["X-Request-ID"] == "proxy-17"


@pytest.mark.parametrize("given", ["a b", "x" * 81, "", "line\u2028"])
def test_what_could_break_a_log_line_is_replaced(given: str) -> None:
    assert Client().get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"] != given


def test_what_a_request_logs_names_it() -> None:
    seen: list[dict[str, object]] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(get_contextvars())
        return HttpResponse()

    for path in ("/api/me", "/sign-in/link/secret", "/invitation/secret"):
        RequestId(view)(RequestFactory().get(path, headers={"X-Request-ID": "r1"}))
    shown = ["/api/me", "/sign-in/link/...", "/invitation/..."]
    assert seen == [{"request": "r1", "path": path} for path in shown]
    assert get_contextvars() == {}
