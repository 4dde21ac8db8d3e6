"""Tests of what a web process counts for /metrics: open sockets and answers by status."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from webapp.http import figures
from webapp.http.figures import Counting
from webapp.live.outbox import Outbox
from webapp.operation.metrics import ProcessFigures


def counted() -> dict[str, float | None]:
    registry = CollectorRegistry()
    registry.register(ProcessFigures())
    value = registry.get_sample_value
    return {
        "sockets": value("maskwright_sockets"),
        "busy": value("maskwright_answers_total", {"status": "503"}) or 0,
        "hints": value("maskwright_hints_replaced_total"),
    }


async def test_sockets_answers_and_replaced_hints_are_counted() -> None:
    before, during, sent = counted(), [], []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        during.append(counted()["sockets"])
        if scope["type"] == "websocket":
            raise ConnectionError
        await send({"type": "http.response.start", "status": 503})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        sent.append(message["type"])

    assert before["sockets"] == figures.open_sockets
    with pytest.raises(ConnectionError):
        await Counting(app)({"type": "websocket"}, None, send)
    await Counting(app)({"type": "http"}, None, send)
    outbox = Outbox()
    for kind in ("presence", "preview", "presence"):
        outbox.hint(kind, "")
    after = counted()
    assert during == [figures.open_sockets + 1, figures.open_sockets]
    assert sent == ["http.response.start", "http.response.body"]
    assert {name: (after[name] or 0) - (before[name] or 0) for name in after} == {"sockets": 0, "busy": 1, "hints": 1}
