"""A client for tests that makes the REST calls and uses the socket as the page does."""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx
import numpy as np
from numpy.typing import NDArray
from websockets.sync.client import ClientConnection, connect

from tests.studio import Studio
from webapp.annotation.codec import decode, unpack
from webapp.live.protocol import PROTOCOL_VERSION

LabelMap = NDArray[np.uint8]


class Visitor:
    """A user who is signed in to a running server. As a context manager it closes its HTTP connections at the end."""

    def __init__(self, studio: Studio, username: str = "owner") -> None:
        self.studio = studio
        self.http = httpx.Client(base_url=studio.address, timeout=60)
        self.http.get(studio.sign_in_link(username))
        self.http.get("/api/me").raise_for_status()
        self.http.headers["X-CSRFToken"] = self.http.cookies["csrftoken"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.http.close()

    def call(self, method: str, path: str, **body: Any) -> Any:
        answer = self.http.request(method, f"/api{path}", json=body or None)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def sample_video(self) -> int:
        (project,) = [project for project in self.call("GET", "/projects") if project["name"] == "Sample"]
        (video,) = self.call("GET", f"/projects/{project['id']}/videos")
        return int(video["id"])

    def open(self, video: int) -> VideoVisit:
        cookies = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        address = self.studio.address.replace("http://", "ws://")
        own_origin: Any = self.studio.address
        return VideoVisit(
            connect(f"{address}/ws/videos/{video}", origin=own_origin, additional_headers={"Cookie": cookies})
        )

    def masks(self, round_id: int, last: int) -> dict[int, LabelMap]:
        """Return the masks (object ids [H, W]) that a round stored of the frames 0 to `last`, by frame."""
        answer = self.http.get(f"/api/rounds/{round_id}/masks", params={"first": 0, "last": last})
        answer.raise_for_status()
        return {mask.frame: decode(mask.data) for mask in unpack(answer.content)}


class VideoVisit:
    """The socket of a video that a user has open. `messages` have arrived, but no method has returned them yet."""

    def __init__(self, connecting: AbstractContextManager[ClientConnection]) -> None:
        self._connecting = connecting
        self.socket = connecting.__enter__()
        self.messages: list[dict[str, Any]] = []
        self.mask_frames: list[int] = []  # the frames of all masks that have arrived, in that order
        self.socket.send(json.dumps({"type": "resume", "version": PROTOCOL_VERSION, "seq": 0, "mask_seq": 0}))
        self.welcome = self.wait("welcome")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connecting.__exit__(kind, error, traceback)

    def ask(self, kind: str, **fields: Any) -> int | None:
        """Send a message of type `kind`, wait for its acknowledgement and return the result in that.

        Raise AssertionError if the server answers with an error. `fields` may name the key of the message.
        """
        key = fields.setdefault("key", str(uuid4()))
        self.socket.send(json.dumps({"type": kind, **fields}))
        answer = self.until(lambda message: message.get("key") == key and message["type"] in ("ack", "error"))
        assert answer["type"] == "ack", answer
        return answer["result"]

    def wait(self, kind: str) -> dict[str, Any]:
        return self.until(lambda message: message["type"] == kind)

    def round_in(self, state: str, number: int, seconds: float = 60) -> dict[str, Any]:
        """Wait until the server says that the round with the id `number` is in `state`. Return the round."""
        message = self.until(
            lambda message: (
                message["type"] == "round.changed"
                and (message["round"]["id"], message["round"]["state"]) == (number, state)
            ),
            seconds,
        )
        return message["round"]

    def until(self, wanted: Any, seconds: float = 60) -> dict[str, Any]:
        """Wait for a message for which `wanted(message)` is true and return it. Other messages stay in `messages`."""
        end = time.monotonic() + seconds
        while True:
            for index, message in enumerate(self.messages):
                if wanted(message):
                    return self.messages.pop(index)
            self._read(end - time.monotonic())

    def masks_until(self, count: int, seconds: float = 60) -> None:
        """Wait until `count` masks have arrived since the socket was opened."""
        end = time.monotonic() + seconds
        while len(self.mask_frames) < count:
            self._read(end - time.monotonic())

    def _read(self, seconds: float) -> None:
        try:
            data = self.socket.recv(max(0.01, seconds))
        except TimeoutError:
            raise AssertionError(f"no message arrived in time; the last ones were {self.messages[-5:]}") from None
        if isinstance(data, bytes):
            self.mask_frames += [mask.frame for mask in unpack(data)]
        else:
            self.messages.append(json.loads(data))
