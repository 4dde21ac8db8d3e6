"""Tests that an uploaded video is imported completely, although the upload breaks off and the worker of its import is
killed. All processes of a site run.
"""

from __future__ import annotations

import io
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from tests.house.visitor import Visitor
from tests.studio import Studio, until
from tests.webapp.videos.clips import read_number, write_clip

FRAMES = 90


def send_half(visitor: Visitor, path: str, data: bytes, offset: int) -> None:
    """Send an upload request whose body is cut off: only half of `data` arrives before the connection is closed.

    `path` is the path of the request, `offset` the position of `data` in the uploaded file in bytes.
    """
    address = urlsplit(visitor.studio.address)
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.http.cookies.items())
    head = (
        f"PATCH {path} HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: {cookies}\r\n"
        f"X-CSRFToken: {visitor.http.headers['X-CSRFToken']}\r\nUpload-Offset: {offset}\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port)) as line:
        line.sendall(head.encode() + data[: len(data) // 2])


def upload(visitor: Visitor, project: int, path: Path) -> Any:
    """Upload a file over a connection that breaks once. Return the JSON that describes the new video."""
    data = path.read_bytes()
    at = visitor.call("POST", f"/projects/{project}/uploads", name=path.name, size=len(data))
    address = f"/api/uploads/{at['id']}"
    half = len(data) // 2

    def send(start: int, end: int) -> int:
        headers = {"Upload-Offset": str(start), "Content-Type": "application/octet-stream"}
        return visitor.http.patch(address, content=data[start:end], headers=headers).status_code

    assert send(0, half) == 200
    send_half(visitor, address, data[half:], half)
    assert visitor.call("GET", f"/uploads/{at['id']}")["received"] == half, "an incomplete chunk is not stored"
    assert send(half, len(data)) == 200
    return visitor.call("POST", f"/uploads/{at['id']}/finish")


def test_a_video_arrives_whatever_breaks(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "reef.mp4", FRAMES, size=(1280, 720), options={"bf": "3", "preset": "ultrafast"})
    with Studio(tmp_path / "home", "--no-sample") as studio, Visitor(studio) as owner:
        project = owner.call("POST", "/projects", name="Reef")["id"]
        until(lambda: "media" in studio.children(), "the worker for imports")
        video = upload(owner, project, clip)["id"]

        def card() -> Any:
            return owner.call("GET", f"/videos/{video}")

        until(lambda: card()["progress_done"] > 0, "the import", 60)
        if card()["state"] == "importing":  # If the import has already ended, no worker is killed.
            studio.children()["media"].kill()
        until(lambda: card()["state"] != "importing", "the end of the import", 90)
        assert (card()["state"], card()["frame_count"], card()["error"]) == ("ready", FRAMES, "")
        for index in range(FRAMES):
            answer = owner.http.get(f"/api/videos/{video}/frames/{index}.jpg")
            assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
            with Image.open(io.BytesIO(answer.content)) as frame:
                assert read_number(np.asarray(frame)) == index
        files = [path for path in (tmp_path / "home" / "videos").rglob("*") if path.is_file()]
        assert len(files) == 2 * FRAMES + 1, (
            "frames, thumbnails and the table of times; nothing of the killed attempt is left"
        )
        assert not list((tmp_path / "home" / "uploads").iterdir())
