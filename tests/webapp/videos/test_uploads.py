"""Tests of uploads, which arrive in chunks and continue after a lost connection."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.webapp.videos.clips import write_clip
from tests.webapp.videos.conftest import Limit, files_below
from webapp.accounts.models import User
from webapp.http import body_limit
from webapp.problems import Problem
from webapp.projects.models import Membership, Project
from webapp.videos import quota, refusal, uploads
from webapp.videos.importing import run_import
from webapp.videos.models import Upload, Video, VideoState
from webapp.videos.storage import min_free_bytes
from webapp.videos.upload_files import upload_path
from webapp.videos.uploads import receive_chunk

JSON = "application/json"
BYTES = "application/octet-stream"
ClientAs = Callable[[User | None], Client]


@pytest.fixture
def client(client_as: ClientAs, annotator: User) -> Client:
    return client_as(annotator)


def begin(client: Client, project: Project, size: int, name: str = "reef.mp4") -> Any:
    return client.post(f"/api/projects/{project.pk}/uploads", {"name": name, "size": size}, JSON)


def send(client: Client, upload: str, offset: int | None, data: bytes) -> Any:
    headers = {} if offset is None else {"Upload-Offset": str(offset)}
    return client.patch(f"/api/uploads/{upload}", data, BYTES, headers=headers)


def test_a_file_in_chunks_becomes_the_video(
    client: Client, project: Project, tmp_path: Path, sent_tasks: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    data = write_clip(tmp_path / "clip.mp4", 12).read_bytes()
    upload = begin(client, project, len(data), "C:\\films\\My reef.mp4").json()
    assert upload["received"] == 0
    third = len(data) // 3
    for offset in (0, third, 2 * third):
        end = len(data) if offset == 2 * third else offset + third
        answer = send(client, upload["id"], offset, data[offset:end])
        assert (answer.status_code, answer.json()["received"]) == (200, end)
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(f"/api/uploads/{upload['id']}/finish")
    card = answer.json()
    assert (answer.status_code, card["name"], card["state"]) == (201, "My reef", "importing")
    assert sent_tasks == [("videos.import_video", [card["id"]])]
    run_import(card["id"])
    card = client.get(f"/api/videos/{card['id']}").json()
    assert (card["state"], card["frame_count"], card["width"]) == ("ready", 12, 240)


def test_a_broken_upload_goes_on_where_the_server_says(client: Client, project: Project) -> None:
    upload = begin(client, project, 100).json()["id"]
    send(client, upload, 0, b"a" * 40)
    # A browser sends a chunk again if it got no response.
    again = send(client, upload, 0, b"a" * 40)
    assert (again.status_code, again.json()["code"], again.json()["received"]) == (409, "wrong_offset", 40)
    ahead = send(client, upload, 80, b"a" * 20)
    assert (ahead.status_code, ahead.json()["received"]) == (409, 40)
    assert client.get(f"/api/uploads/{upload}").json() == {"id": upload, "received": 40, "size": 100}
    assert send(client, upload, 40, b"b" * 60).json()["received"] == 100
    assert upload_path(Upload.objects.get().pk).read_bytes() == b"a" * 40 + b"b" * 60


def test_a_chunk_that_was_cut_does_not_count(client: Client, project: Project, annotator: User) -> None:
    upload = begin(client, project, 100).json()["id"]
    with pytest.raises(Problem, match="broke") as problem:
        receive_chunk(by=annotator, upload_id=upload, offset=0, length=40, body=BytesIO(b"a" * 10))
    assert problem.value.extra == {"received": 0}
    assert send(client, upload, 0, b"b" * 100).json()["received"] == 100
    assert upload_path(Upload.objects.get().pk).read_bytes() == b"b" * 100


def test_two_writers_do_not_mix(client: Client, project: Project) -> None:
    upload = begin(client, project, 100).json()["id"]
    with upload_path(Upload.objects.get().pk).open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        answer = send(client, upload, 0, b"a" * 40)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert send(client, upload, 0, b"a" * 40).status_code == 200


@pytest.mark.parametrize(("offset", "length", "status"), [(0, 101, 413), (60, 50, 413), (None, 10, 422), (-5, 10, 422)])
def test_a_wrong_chunk_changes_nothing(
    client: Client, project: Project, offset: int | None, length: int, status: int
) -> None:
    upload = begin(client, project, 100).json()["id"]
    if offset == 60:
        send(client, upload, 0, b"a" * 60)
    before = upload_path(Upload.objects.get().pk).read_bytes()
    assert send(client, upload, offset, b"b" * length).status_code == status
    assert upload_path(Upload.objects.get().pk).read_bytes() == before


def test_it_refuses_what_is_too_large_before_a_byte_is_sent(
    client: Client, project: Project, limit: Limit, home: Path
) -> None:
    limit("MASKWRIGHT_MAX_UPLOAD_MB", 3)
    assert begin(client, project, 3 << 20).status_code == 201
    answer = begin(client, project, (3 << 20) + 1)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "at most 3 MB" in answer.json()["text"]
    assert len(files_below(home)) == Upload.objects.count() == 1


def test_it_refuses_an_empty_file(client: Client, project: Project) -> None:
    assert begin(client, project, 0).json() == {"code": "empty", "text": "The file is empty."}


def test_it_refuses_what_the_disk_cannot_hold(
    client: Client, project: Project, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setattr(refusal, "free_bytes", lambda: 600 << 20)
    assert begin(client, project, 50 << 20).status_code == 201
    answer = begin(client, project, 200 << 20)
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
    assert Upload.objects.count() == 1


def test_an_incomplete_upload_cannot_be_finished(client: Client, project: Project, sent_tasks: list[Any]) -> None:
    upload = begin(client, project, 100).json()["id"]
    send(client, upload, 0, b"a" * 40)
    answer = client.post(f"/api/uploads/{upload}/finish")
    assert (answer.status_code, answer.json()["received"]) == (409, 40)
    assert not Video.objects.exists()


def test_finishing_twice_makes_one_video(client: Client, project: Project, sent_tasks: list[Any]) -> None:
    upload = begin(client, project, 4).json()["id"]
    send(client, upload, 0, b"abcd")
    first, second = (client.post(f"/api/uploads/{upload}/finish").json() for _ in range(2))
    assert first["id"] == second["id"] == Video.objects.get().pk


def test_a_dropped_upload_leaves_nothing(client: Client, project: Project, home: Path) -> None:
    upload = begin(client, project, 100).json()["id"]
    send(client, upload, 0, b"a" * 40)
    with_commit = client.delete(f"/api/uploads/{upload}")
    assert with_commit.status_code == 204
    assert not Upload.objects.exists()
    assert client.get(f"/api/uploads/{upload}").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_the_bytes_of_a_dropped_upload_are_deleted(client: Client, project: Project, home: Path) -> None:
    upload = begin(client, project, 100).json()["id"]
    send(client, upload, 0, b"a" * 40)
    assert files_below(home)
    client.delete(f"/api/uploads/{upload}")
    assert files_below(home) == []


def test_a_finished_upload_is_not_dropped(client: Client, project: Project, sent_tasks: list[Any]) -> None:
    upload = begin(client, project, 4).json()["id"]
    send(client, upload, 0, b"abcd")
    client.post(f"/api/uploads/{upload}/finish")
    assert client.delete(f"/api/uploads/{upload}").status_code == 409
    assert upload_path(Upload.objects.get().pk).exists()


def test_only_its_maker_goes_on_with_an_upload(
    client_as: ClientAs, client: Client, project: Project, owner: User, viewer: User, stranger: User
) -> None:
    upload = begin(client, project, 4).json()["id"]
    for user, status in ((owner, 403), (viewer, 403), (stranger, 404), (None, 401)):
        other = client_as(user)
        assert send(other, upload, 0, b"abcd").status_code == status
        assert other.get(f"/api/uploads/{upload}").status_code == status
        assert other.post(f"/api/uploads/{upload}/finish").status_code == status
        assert other.delete(f"/api/uploads/{upload}").status_code == status
    assert Upload.objects.get().received == 0
    assert not Video.objects.exists()


def test_who_was_removed_from_the_project_cannot_go_on(client: Client, project: Project, annotator: User) -> None:
    upload = begin(client, project, 4).json()["id"]
    Membership.objects.filter(user=annotator).delete()
    assert send(client, upload, 0, b"abcd").status_code == 404


def test_beginning_asks_for_the_role(
    client_as: ClientAs, project: Project, viewer: User, stranger: User, reviewer: User
) -> None:
    for user, status in ((viewer, 403), (stranger, 404), (None, 401), (reviewer, 201)):
        assert begin(client_as(user), project, 4).status_code == status
    assert Upload.objects.count() == 1


def test_a_failed_import_is_told_on_the_card(
    client: Client, project: Project, sent_tasks: list[Any], home: Path
) -> None:
    upload = begin(client, project, 11, "notes.txt").json()["id"]
    send(client, upload, 0, b"hello there")
    card = client.post(f"/api/uploads/{upload}/finish").json()
    run_import(card["id"])
    card = client.get(f"/api/videos/{card['id']}").json()
    assert card["state"] == VideoState.FAILED
    assert "not a video" in card["error"]
    assert files_below(home) == []


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that sets how many bytes uploads may use on the disk."""

    def leave(room: int) -> None:
        monkeypatch.setattr(uploads, "free_bytes", lambda: room + min_free_bytes())
        monkeypatch.setattr(refusal, "free_bytes", lambda: room + min_free_bytes())

    return leave


def test_uploads_under_way_keep_their_room(client: Client, project: Project, disk: Callable[[int], None]) -> None:
    disk(1000)
    first = begin(client, project, 600).json()["id"]
    refused = begin(client, project, 500)
    assert (refused.status_code, refused.json()["code"]) == (507, "disk_full")
    assert "under way" in refused.json()["text"]
    assert Upload.objects.count() == 1
    assert begin(client, project, 400).status_code == 201
    client.delete(f"/api/uploads/{first}")
    assert begin(client, project, 600).status_code == 201


def test_bytes_that_have_come_are_not_counted_twice(
    client: Client, project: Project, disk: Callable[[int], None]
) -> None:
    disk(1000)
    upload = begin(client, project, 600).json()["id"]
    assert send(client, upload, 0, b"a" * 600).status_code == 200
    disk(400)  # The 600 bytes received take up disk space now.
    assert begin(client, project, 400).status_code == 201


def test_sixty_files_are_not_taken_where_there_is_room_for_thirty(
    client: Client, project: Project, disk: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_UNDER_WAY", 100)
    disk(65 << 30)
    statuses = [begin(client, project, 2 << 30).status_code for _ in range(60)]
    assert (statuses.count(201), statuses.count(507)) == (32, 28)


def test_an_upload_that_nobody_goes_on_with_gives_its_room_up(
    client: Client, project: Project, disk: Callable[[int], None]
) -> None:
    disk(1000)
    old = begin(client, project, 900).json()["id"]
    Upload.objects.filter(pk=old).update(touched_at=timezone.now() - quota.RESERVED)
    assert begin(client, project, 900).status_code == 201


def test_one_person_has_so_many_uploads_under_way_and_no_more(
    client: Client, client_as: ClientAs, owner: User, project: Project
) -> None:
    first, *_ = [begin(client, project, 10).json()["id"] for _ in range(uploads.MOST_UNDER_WAY)]
    refused = begin(client, project, 10)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_uploads")
    assert begin(client_as(owner), project, 10).status_code == 201
    client.delete(f"/api/uploads/{first}")
    assert begin(client, project, 10).status_code == 201


def test_the_web_server_takes_chunks_of_the_same_size() -> None:
    assert uploads.MAX_CHUNK == body_limit.MAX_CHUNK
