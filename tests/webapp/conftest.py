"""Fixtures and functions for tests of webapp, such as those that create videos and rounds without files or engines."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest
from django.db.models.functions import Now
from django.test import Client

from tests.webapp.documented import check_documented
from webapp.accounts.models import User
from webapp.annotation.accepted import accept_frames
from webapp.annotation.claims import NewMask, new_mask
from webapp.annotation.codec import LabelMap, encode
from webapp.annotation.head import head_of
from webapp.annotation.models import Round, Scribble
from webapp.annotation.objects import add_object
from webapp.annotation.rounds import create_round
from webapp.annotation.scribbles import add_scribble
from webapp.annotation.state import last_mask
from webapp.projects.models import Project
from webapp.tasks.lease import Lease, LeasedTask
from webapp.videos.models import Video, VideoState

WIDTH, HEIGHT, FRAMES = 32, 24, 8


def make_video(project: Project, author: User, frame_count: int = FRAMES) -> Video:
    """Create the database row of a ready video that has no files. Its rounds stay queued, since no worker runs."""
    return Video.objects.create(
        project=project,
        name="reef.mp4",
        state=VideoState.READY,
        width=WIDTH,
        height=HEIGHT,
        frame_count=frame_count,
        created_by=author,
    )


def draw(video: Video, author: User, frame: int = 0, number: int = 1) -> Scribble:
    path = [[0.1, 0.2], [0.3, 0.4]]
    return add_scribble(video=video, author=author, key=uuid4(), frame=frame, object_id=number, path=path)


def run(video: Video, author: User, base: int | None, frame: int = 0) -> Round:
    """Draw a scribble on `frame` and create a round with it. `base` is the id of its base, or None if it has none."""
    draw(video, author, frame)
    return create_round(video=video, author=author, key=uuid4(), frames=[frame], engine="fake", base=base)


def accept(video: Video, by: User, frame: int, last: int | None = None) -> int:
    """Accept the current masks of frames `frame` to `last` (None: only `frame`) as a reviewer. Return their number."""
    return accept_frames(
        video=video,
        by=by,
        first=frame,
        last=frame if last is None else last,
        head=head_of(video.pk),
        seen=last_mask(video.pk),
        may_accept_others=True,
    )


def painted(labels: LabelMap) -> str:
    """Encode a painted mask, uint8 [H, W] of 0 and 1, as the page sends it (base64)."""
    return base64.b64encode(encode(labels)).decode()


def some_mask(frame: int, label: int = 1) -> NewMask:
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[frame % HEIGHT, :5] = label
    return new_mask(frame, labels, [0.5], None)


def lose_worker(lease: Lease[Any], task: LeasedTask) -> str:
    """Make the last heartbeat of a task a minute old, as if its worker had died, and run the sweep.

    Return the state of the task afterwards.
    """
    lease.model._default_manager.filter(pk=task.pk).update(heartbeat=Now() - timedelta(minutes=1))
    lease.sweep()
    task.refresh_from_db()
    return str(task.state)  # type: ignore[attr-defined]


def aws_variables(server: str) -> dict[str, str]:
    """Return the environment variables with which boto3 talks to the server at an address."""
    credentials = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    return {"AWS_ENDPOINT_URL_S3": server, **credentials}


@pytest.fixture
def video(project: Project, owner: User) -> Video:
    """Create a ready video with one object and no files."""
    video = make_video(project, owner)
    add_object(video=video, author=owner, name="Fish")
    return video


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """Start a server that speaks S3 over HTTP and has no bucket, and return its address."""
    from moto.server import ThreadedMotoServer  # Importing it takes a second, and few tests need it.

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    # The buckets belong to the process, which may still have those of another file's tests.
    httpx.post(f"{address}/moto-api/reset").raise_for_status()
    yield address
    server.stop()


@pytest.fixture(autouse=True)
def _answers_are_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check, in every test of this folder, that each response to a REST call is documented in the OpenAPI schema."""
    request = Client.request

    def checked(self: Client, **values: Any) -> Any:
        response = request(self, **values)
        check_documented(values.get("REQUEST_METHOD", "GET"), response)
        return response

    monkeypatch.setattr(Client, "request", checked)
