"""Tests of the REST call that takes the same messages as the socket, and of those that return masks and rounds."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.test import Client

from segmentation.formats.coco_rle import decode_segmentation
from segmentation.formats.label_png import decode_labels
from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import HEIGHT, WIDTH, painted, some_mask
from webapp.accounts.models import User
from webapp.annotation.codec import decode
from webapp.annotation.models import Object, Round, Scribble
from webapp.videos.models import Video

ClientAs = Callable[[User | None], Client]
JSON = "application/json"
KEY = "6f1b0c1e-5a63-4f0c-9d4e-0e6c5a1b2c3d"


@pytest.fixture(autouse=True)
def _no_broker(sent_tasks: list[Any]) -> None:
    pass


def send(client: Client, video: Video, kind: str, **fields: Any) -> Any:
    message = {"type": kind, "key": str(uuid4()), **fields}
    return client.post(f"/api/videos/{video.pk}/commands", message, content_type=JSON)


def test_a_script_does_what_the_page_does(client_as: ClientAs, annotator: User, video: Video) -> None:
    client = client_as(annotator)
    assert send(client, video, "object.add", name="Eel").json() == {"result": 2}
    assert send(client, video, "scribble.add", frame=0, object=2, path=[[0.1, 0.2]]).json() == {"result": None}
    round_id = send(client, video, "round.run", frames=[0], engine="fake", base=None).json()["result"]
    row = client.get(f"/api/rounds/{round_id}").json()
    assert (row["state"], row["author"]["id"], row["drawn"]) == ("queued", annotator.pk, [0])
    assert send(client, video, "round.cancel", round=round_id).status_code == 200
    assert client.get(f"/api/rounds/{round_id}").json()["state"] == "cancelled"


def test_a_painted_mask_comes_back_to_the_pixel(client_as: ClientAs, annotator: User, video: Video) -> None:
    client = client_as(annotator)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[3:9, 5:20] = 1
    assert send(client, video, "mask.paint", frame=2, object=1, data=painted(mask), over="all").status_code == 200
    (row,) = client.get(f"/api/videos/{video.pk}/masks").json()["masks"]
    assert (row["frame"], [each["object"] for each in row["objects"]]) == (2, [1])
    found = decode_segmentation(row["objects"][0]["segmentation"], HEIGHT, WIDTH)
    np.testing.assert_array_equal(found, mask.astype(bool))
    png = client.get(f"/api/videos/{video.pk}/masks/2.png")
    np.testing.assert_array_equal(decode_labels(io.BytesIO(png.content)), mask)
    assert client.get(f"/api/videos/{video.pk}/masks/3.png").status_code == 404


def test_a_stroke_outside_of_the_picture_is_refused_with_the_sentence_of_the_socket(
    client_as: ClientAs, annotator: User, video: Video
) -> None:
    client = client_as(annotator)
    said = "lies outside of the picture: x and y are numbers from 0 to 1."
    drawn = send(client, video, "scribble.add", frame=0, object=1, path=[[0.5, 1], [0.5, 1.2]])
    assert (drawn.status_code, drawn.json()["text"]) == (422, f"Point 2 {said}")
    click = {"type": "prompt.add", "key": KEY, "frame": 0, "object": 1, "kind": "click", "points": [[-0.1, 0.5]]}
    clicked = client.post(f"/api/videos/{video.pk}/commands", click, content_type=JSON)
    assert (clicked.status_code, clicked.json()["text"]) == (422, f"Point 1 {said}")
    assert not Scribble.objects.exists()


def test_masks_of_an_earlier_round_are_given_and_deleted_objects_left_out(
    client_as: ClientAs, owner: User, viewer: User, video: Video
) -> None:
    first = done(video, owner, None, [0, 1])
    done(video, owner, first.pk, [1])
    client, address = client_as(viewer), f"/api/videos/{video.pk}/masks"
    assert [row["round"] for row in client.get(address, {"round": first.pk}).json()["masks"]] == [first.pk] * 2
    assert len({row["round"] for row in client.get(address).json()["masks"]}) == 2
    expected = decode(some_mask(0).data)
    png = client.get(f"{address}/0.png", {"round": first.pk}).content
    np.testing.assert_array_equal(decode_labels(io.BytesIO(png)), expected)
    Object.objects.update(deleted_at="2026-01-01T00:00:00Z")
    assert [row["objects"] for row in client.get(address).json()["masks"]] == [[], []]
    assert not decode_labels(io.BytesIO(client.get(f"{address}/0.png").content)).any()
    assert client.get(address, {"first": 0, "last": 5000}).status_code == 422
    assert client.get(address, {"round": first.pk + 1000}).status_code == 404


def test_a_message_that_is_sent_twice_takes_effect_once(client_as: ClientAs, annotator: User, video: Video) -> None:
    client, address = client_as(annotator), f"/api/videos/{video.pk}/commands"
    message = {"type": "object.add", "key": str(uuid4()), "name": "Eel"}
    answers = [client.post(address, message, content_type=JSON).json() for _ in range(2)]
    assert answers == [{"result": 2}] * 2
    assert Object.objects.filter(name="Eel").count() == 1


@pytest.mark.parametrize(
    ("message", "status", "field"),
    [
        ({"type": "object.add"}, 422, "body.object.add.key"),
        ({"type": "nothing"}, 422, "body"),
        ({"type": "object.add", "key": KEY, "colour": "red"}, 422, "body.object.add.colour"),
        ({"type": "resume", "version": 4, "seq": 0, "mask_seq": 0}, 422, "body"),
        ([], 422, "body"),
    ],
)
def test_a_message_that_is_wrong_is_refused_by_its_field(
    client_as: ClientAs, annotator: User, video: Video, message: Any, status: int, field: str
) -> None:
    answer = client_as(annotator).post(f"/api/videos/{video.pk}/commands", message, content_type=JSON)
    assert answer.status_code == status
    assert answer.json()["field"] == field


def test_a_viewer_and_a_stranger_change_nothing(
    client_as: ClientAs, viewer: User, stranger: User, video: Video
) -> None:
    fields = {"frame": 0, "object": 1, "path": [[0.1, 0.2]]}
    assert send(client_as(viewer), video, "scribble.add", **fields).status_code == 403
    assert send(client_as(stranger), video, "scribble.add", **fields).status_code == 404
    assert not Scribble.objects.exists()
    assert not Round.objects.exists()
