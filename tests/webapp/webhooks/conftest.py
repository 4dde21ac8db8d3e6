"""A server on this machine that is called by webhooks, and a webhook that calls it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from webapp.accounts.models import User
from webapp.projects.models import Project
from webapp.webhooks.editing import add_webhook
from webapp.webhooks.models import Webhook


class Receiver(ThreadingHTTPServer):
    """Keeps the path, the headers and the body of each call, and answers with the status `status`.

    The status 302 redirects to its path /other.
    """

    status = 200
    answer = b"thank you"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[tuple[str, Mapping[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_port}/hook"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.calls]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Location", "/other")
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def _server() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def receiver(_server: Receiver, allow_loopback: None) -> Receiver:
    _server.calls.clear()
    _server.status, _server.answer = 200, b"thank you"
    return _server


@pytest.fixture
def allow_loopback(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.CONFIG.values, "MASKWRIGHT_ALLOWED_NETWORKS", ["127.0.0.0/8", "::1/128"])


@pytest.fixture
def webhook(receiver: Receiver, project: Project, owner: User) -> Webhook:
    return add_webhook(by=owner, project_id=project.pk, url=receiver.url, events=[])
