"""Tests of the REST calls for videos, their frames, thumbnails and ground truth, and of who may make them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from segmentation.formats.label_png import decode_labels
from tests.webapp.videos.clips import numbered, read_number, write_clip
from tests.webapp.videos.conftest import Bring, files_below
from webapp.accounts.models import User
from webapp.projects.models import Project, Role
from webapp.videos.create import create_video
from webapp.videos.models import Upload, Video, VideoState
from webapp.videos.recovery import sweep_imports
from webapp.videos.source_table import SourceTable, write_source_table
from webapp.videos.storage import folder_of
from webapp.videos.upload_files import upload_path

JSON = "application/json"
ClientAs = Callable[[User | None], Client]


def labels() -> np.ndarray:
    found = np.zeros((160, 240), np.uint8)
    found[20:60, 30:90] = 2
    return found


@pytest.fixture
def video(project: Project, owner: User) -> Video:
    frames = (numbered(index) for index in range(4))
    return create_video(project=project, name="Reef", frames=frames, author=owner, truth=[None, labels()])


def image_in(answer: Any, tmp_path: Path) -> np.ndarray:
    path = tmp_path / "answer"
    path.write_bytes(answer.content)
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_frames_and_thumbnails_come_by_index(client_as: ClientAs, viewer: User, video: Video, tmp_path: Path) -> None:
    client = client_as(viewer)
    for kind in ("frames", "thumbs"):
        for index in range(4):
            answer = client.get(f"/api/videos/{video.pk}/{kind}/{index}.jpg")
            assert answer.status_code == 200
            assert answer["Content-Type"] == "image/jpeg"
            assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
            assert read_number(image_in(answer, tmp_path)) == index


def thumbnails_in(data: bytes) -> dict[int, bytes]:
    """Return the JPEGs of an answer by their frames."""
    found = {}
    while data:
        frame, size = struct.unpack_from("<II", data)
        found[frame], data = data[8 : 8 + size], data[8 + size :]
    return found


def test_many_thumbnails_come_in_one_answer(client_as: ClientAs, viewer: User, video: Video) -> None:
    client = client_as(viewer)
    base = f"/api/videos/{video.pk}/thumbs"
    alone = [client.get(f"{base}/{index}.jpg").content for index in range(4)]
    for query, frames in (("", [0, 1, 2, 3]), ("?first=1&last=99&step=2", [1, 3]), ("?first=4&last=9", [])):
        answer = client.get(base + query)
        assert thumbnails_in(answer.content) == {frame: alone[frame] for frame in frames}
        assert answer["Cache-Control"] == "private, max-age=31536000, immutable"


def test_an_answer_without_all_thumbnails_is_not_kept_by_caches(
    client_as: ClientAs, viewer: User, video: Video
) -> None:
    folder_of(video.pk).thumb(2).unlink()
    client = client_as(viewer)
    answer = client.get(f"/api/videos/{video.pk}/thumbs")
    assert list(thumbnails_in(answer.content)) == [0, 1, 3]
    assert answer["Cache-Control"] == "private, no-store"
    Video.objects.filter(pk=video.pk).update(state=VideoState.IMPORTING, frame_count=0)
    answer = client.get(f"/api/videos/{video.pk}/thumbs")
    assert (answer.content, answer["Cache-Control"]) == (b"", "private, no-store")


@pytest.mark.parametrize("query", ["first=-1", "first=3&last=2", "step=0", "step=-1", "last=x", "last=128"])
def test_a_wrong_range_of_thumbnails_is_refused(client_as: ClientAs, viewer: User, video: Video, query: str) -> None:
    Video.objects.filter(pk=video.pk).update(frame_count=129)
    answer = client_as(viewer).get(f"/api/videos/{video.pk}/thumbs?{query}")
    assert answer.status_code == 422
    assert answer.json()["text"]


@pytest.mark.parametrize("address", ["frames/4.jpg", "thumbs/4.jpg", "frames/-1.jpg", "frames/x.jpg", "frames/1.png"])
def test_a_frame_that_is_not_there_is_not_kept_by_caches(
    client_as: ClientAs, viewer: User, video: Video, address: str
) -> None:
    answer = client_as(viewer).get(f"/api/videos/{video.pk}/{address}")
    assert answer.status_code == 404
    assert "immutable" not in answer.get("Cache-Control", "")


def test_the_names_of_frames_in_their_source_are_shown(
    client_as: ClientAs, viewer: User, stranger: User, video: Video
) -> None:
    address = f"/api/videos/{video.pk}/source-frames"
    count = video.frame_count
    assert client_as(viewer).get(address).json() == {"names": [""] * count, "times": [None] * count}
    table = SourceTable([f"IMG_{index}.png" for index in range(count)], [None] * count)
    write_source_table(folder_of(video.pk), table)
    assert client_as(viewer).get(address).json()["names"] == table.names
    assert client_as(stranger).get(address).status_code == 404


def test_ground_truth_is_for_reviewers(
    client_as: ClientAs, cast: dict[Role, User], stranger: User, video: Video, tmp_path: Path
) -> None:
    address = f"/api/videos/{video.pk}/truth/1.png"
    for role, user in cast.items():
        status = client_as(user).get(address).status_code
        assert status == (403 if role in (Role.VIEWER, Role.ANNOTATOR) else 200)
    answer = client_as(cast[Role.REVIEWER]).get(address)
    (tmp_path / "truth.png").write_bytes(answer.content)
    with (tmp_path / "truth.png").open("rb") as file:
        assert np.array_equal(decode_labels(file), labels())
    assert answer["Cache-Control"] == "private, no-cache", "an import may replace it"
    known = client_as(cast[Role.REVIEWER]).get(address, headers={"If-None-Match": answer["ETag"]})
    assert known.status_code == 304
    assert client_as(stranger).get(address).status_code == 404
    assert client_as(cast[Role.OWNER]).get(f"/api/videos/{video.pk}/truth/0.png").status_code == 404


def test_strangers_and_the_signed_out_get_nothing(client_as: ClientAs, stranger: User, video: Video) -> None:
    for user, status in ((stranger, 404), (None, 401)):
        client = client_as(user)
        base = f"/api/videos/{video.pk}"
        for address in ("", "/frames/0.jpg", "/thumbs/0.jpg", "/thumbs", "/truth/1.png"):
            assert client.get(base + address).status_code == status
        assert client.patch(base, {"name": "Mine"}, JSON).status_code == status
        assert client.delete(base).status_code == status
        assert client.post(base + "/cancel-import").status_code == status
        assert client.get(f"/api/projects/{video.project_id}/videos").status_code == status
    video.refresh_from_db()
    assert video.name == "Reef"


def test_a_frame_costs_three_queries(client_as: ClientAs, viewer: User, video: Video) -> None:
    """A request for a frame makes three database queries: the HTTP session, its user, and the user's role.

    A page requests dozens of frames at once, so each request must be cheap.
    """
    client = client_as(viewer)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(f"/api/videos/{video.pk}/frames/0.jpg")
    assert len(queries) == 3


def test_the_list_has_a_card_for_each_video(
    client_as: ClientAs, reviewer: User, video: Video, project: Project, owner: User
) -> None:
    Video.objects.create(project=project, name="Broken", created_by=owner, state=VideoState.FAILED, error="No.")
    client = client_as(reviewer)
    with CaptureQueriesContext(connection) as queries:
        cards = client.get(f"/api/projects/{project.pk}/videos").json()
    assert len(queries) == 5, "session, user, project, role, and one for all cards"
    assert [card["name"] for card in cards] == ["Reef", "Broken"]
    reef = cards[0]
    assert (reef["state"], reef["width"], reef["height"], reef["frame_count"]) == ("ready", 240, 160, 4)
    assert (reef["rounds"], reef["last_worked_by"], reef["running"], reef["has_truth"]) == (0, None, False, True)
    assert (cards[1]["error"], cards[1]["has_truth"]) == ("No.", False)


def test_annotators_rename_and_viewers_do_not(client_as: ClientAs, annotator: User, viewer: User, video: Video) -> None:
    address = f"/api/videos/{video.pk}"
    assert client_as(viewer).patch(address, {"name": "Mine"}, JSON).status_code == 403
    assert client_as(annotator).patch(address, {"name": "  Coral "}, JSON).json()["name"] == "Coral"
    assert client_as(annotator).patch(address, {"name": "  "}, JSON).status_code == 400
    assert client_as(annotator).patch(address, {"name": "x" * 201}, JSON).status_code == 422
    video.refresh_from_db()
    assert video.name == "Coral"


@pytest.mark.django_db(transaction=True)
def test_managers_delete_a_video_with_its_files(
    client_as: ClientAs, annotator: User, manager: User, video: Video, home: Path
) -> None:
    assert client_as(annotator).delete(f"/api/videos/{video.pk}").status_code == 403
    assert folder_of(video.pk).frame(0).exists()
    assert client_as(manager).delete(f"/api/videos/{video.pk}").status_code == 204
    assert folder_of(video.pk).frame(0).exists()  # It is in the trash.
    video.delete()
    assert not folder_of(video.pk).root.exists()
    sweep_imports()  # The deletion only renames the folder of the video. The sweep removes it.
    assert files_below(home) == []


@pytest.mark.django_db(transaction=True)
def test_the_files_go_with_the_project(video: Video, waiting: Bring, home: Path, tmp_path: Path) -> None:
    waiting(write_clip(tmp_path / "clip.mp4", 3))
    video.project.delete()
    assert not Upload.objects.exists()
    assert not folder_of(video.pk).root.exists()
    sweep_imports()  # The deletion only renames the folder of the video. The sweep removes it.
    assert files_below(home) == []


def test_annotators_clear_away_what_failed_to_arrive(
    client_as: ClientAs, annotator: User, viewer: User, project: Project, owner: User
) -> None:
    failed = Video.objects.create(project=project, name="x", created_by=owner, state=VideoState.FAILED)
    assert client_as(viewer).delete(f"/api/videos/{failed.pk}").status_code == 403
    assert client_as(annotator).delete(f"/api/videos/{failed.pk}").status_code == 204


def test_an_import_is_cancelled_by_annotators(
    client_as: ClientAs, annotator: User, viewer: User, waiting: Bring, tmp_path: Path
) -> None:
    video = waiting(write_clip(tmp_path / "clip.mp4", 3))
    assert video.upload is not None
    address = f"/api/videos/{video.pk}/cancel-import"
    assert client_as(viewer).post(address).status_code == 403
    assert client_as(annotator).post(address).json()["state"] == "cancelled"
    assert not upload_path(video.upload.pk).exists()


def test_cancelling_a_video_that_is_ready_changes_nothing(client_as: ClientAs, annotator: User, video: Video) -> None:
    assert client_as(annotator).post(f"/api/videos/{video.pk}/cancel-import").json()["state"] == "ready"
