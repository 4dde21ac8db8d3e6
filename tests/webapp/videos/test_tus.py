"""Tests of uploads with tus 1.0, by a client that is written out here as its specification says."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from webapp.accounts.models import User
from webapp.accounts.tokens import make_token
from webapp.projects.models import Project
from webapp.videos.models import Upload, Video

TUS = {"Tus-Resumable": "1.0.0"}
OFFSET = "application/offset+octet-stream"
DATA = bytes(range(250))


class TusClient:
    """Speaks tus with a token, as other programs do: they send no cookie and no JSON."""

    def __init__(self, secret: str) -> None:
        self._client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {secret}"})

    def send(self, method: str, address: str, data: bytes = b"", /, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = OFFSET if method == "PATCH" else ""
        return self._client.generic(method, address, data, kind, headers={**TUS, **named})

    def create(self, address: str, name: str, size: int) -> Any:
        metadata = f"filename {base64.b64encode(name.encode()).decode()},empty"
        return self.send("POST", address, Upload_Length=str(size), Upload_Metadata=metadata)


@pytest.fixture
def tus(annotator: User, settings: Any, tmp_path: Path) -> TusClient:
    settings.HOME = tmp_path
    return TusClient(make_token(by=annotator, name="tus", projects=None, may_write=True, days=None)[1])


def test_a_client_of_tus_uploads_continues_after_a_lost_connection_and_gets_a_video(
    tus: TusClient, project: Project, sent_tasks: list[Any]
) -> None:
    address = f"/api/v1/projects/{project.pk}/uploads"
    abilities = tus.send("OPTIONS", address)
    assert (abilities.status_code, abilities["Tus-Version"]) == (204, "1.0.0")
    assert abilities["Tus-Extension"] == "creation,termination,checksum"
    assert int(abilities["Tus-Max-Size"]) > 1 << 30
    made = tus.create(address, "Möwe.mp4", len(DATA))
    assert (made.status_code, made["Tus-Resumable"]) == (201, "1.0.0")
    place = made["Location"].removeprefix("http://testserver")
    first = tus.send("PATCH", place, DATA[:100], Upload_Offset="0")
    assert (first.status_code, first["Upload-Offset"], first.content) == (204, "100", b"")
    lost = tus.send("PATCH", place, DATA[50:], Upload_Offset="50")
    assert (lost.status_code, lost["Tus-Resumable"]) == (409, "1.0.0")
    asked = tus.send("HEAD", place)
    assert (asked.status_code, asked["Upload-Offset"], asked["Upload-Length"]) == (200, "100", "250")
    assert asked["Cache-Control"] == "no-store"
    right = base64.b64encode(hashlib.sha1(DATA[100:]).digest()).decode()
    wrong = tus.send("PATCH", place, DATA[100:-1] + b"x", Upload_Offset="100", Upload_Checksum=f"sha1 {right}")
    assert wrong.status_code == 460
    last = tus.send("PATCH", place, DATA[100:], Upload_Offset="100", Upload_Checksum=f"sha1 {right}")
    video = Video.objects.get()
    assert (last.status_code, last["Upload-Offset"]) == (204, "250")
    assert last["Maskwright-Video"] == str(video.pk)
    assert (video.name, video.state) == ("Möwe", "importing")


def test_a_complete_file_whose_video_could_not_be_made_becomes_one_when_the_client_asks_where_to_go_on(
    tus: TusClient, project: Project, sent_tasks: list[Any]
) -> None:
    made = tus.create(f"/api/v1/projects/{project.pk}/uploads", "reef.mp4", len(DATA))
    place = made["Location"].removeprefix("http://testserver")
    assert "Maskwright-Video" not in tus.send("HEAD", place)
    Upload.objects.update(received=len(DATA))  # So it is when the last chunk was stored and the call failed then.
    for _ in range(2):
        asked = tus.send("HEAD", place)
        assert (asked["Upload-Offset"], asked["Maskwright-Video"]) == ("250", str(Video.objects.get().pk))


def test_an_upload_of_tus_is_dropped_and_is_seen_only_by_its_maker(
    tus: TusClient, project: Project, client_as: Callable[[User | None], Client], manager: User
) -> None:
    place = tus.create(f"/api/projects/{project.pk}/uploads", "a.mp4", 10)["Location"].removeprefix("http://testserver")
    assert client_as(manager).head(place, headers=TUS).status_code == 403
    assert client_as(None).head(place, headers=TUS).status_code == 401
    dropped = tus.send("DELETE", place)
    assert (dropped.status_code, dropped["Tus-Resumable"]) == (204, "1.0.0")
    assert tus.send("HEAD", place).status_code == 404
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"Upload_Length": "-1"}, 400),
        ({"Upload_Length": "9" * 30}, 400),
        ({"Upload_Length": "0"}, 400),
        ({"Upload_Length": "10", "Upload_Metadata": "filename ***"}, 400),
        ({"Upload_Length": "10", "Upload_Metadata": "filename \u00e9"}, 400),
        ({"Upload_Length": "10", "Upload_Metadata": "filename " + base64.b64encode(b"a\0b").decode()}, 400),
        ({"Upload_Length": str(1 << 50)}, 413),
        ({"Upload_Length": "10", "Tus_Resumable": "2.0.0"}, 412),
    ],
)
def test_a_request_of_tus_that_cannot_work_is_refused(
    tus: TusClient, project: Project, headers: dict[str, str], status: int
) -> None:
    answer = tus.send("POST", f"/api/projects/{project.pk}/uploads", b"", **headers)
    assert (answer.status_code, answer["Tus-Resumable"]) == (status, "1.0.0")
    assert answer.json()["text"]
    assert not Upload.objects.exists()
