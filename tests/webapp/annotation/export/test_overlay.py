"""Tests of the looks of an overlay video, such as opacity, contours and backgrounds, and of the choice of a look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from django.test import Client

from tests.webapp.annotation.export.test_jobs import add_round
from webapp.accounts.models import User
from webapp.annotation.export.formats.overlay import paint
from webapp.annotation.export.options import Look, Matte, Options
from webapp.videos.models import Video

LABELS = np.zeros((40, 60), np.uint8)
LABELS[10:30, 10:30] = 1
LABELS[10:30, 30:50] = 2
PICTURE = np.full((40, 60, 3), 100, np.uint8)
COLORS = np.zeros((256, 3), np.uint8)
COLORS[1], COLORS[2] = (200, 0, 0), (0, 200, 0)
INSIDE, NEIGHBOUR, OUTSIDE = (20, 20), (20, 40), (2, 2)


def test_opacity_is_the_share_of_the_colour_over_an_object() -> None:
    for opacity, red in ((0.0, 100), (0.25, 125), (0.5, 150), (1.0, 200)):
        drawn = paint(PICTURE, LABELS, COLORS, Look(opacity=opacity))
        assert int(drawn[INSIDE][0]) == red
        assert list(drawn[OUTSIDE]) == [100, 100, 100]


@pytest.mark.parametrize("width", [0, 1, 2, 5, 20])
def test_contours_have_the_wanted_width_inside_of_each_object(width: int) -> None:
    drawn = paint(PICTURE, LABELS, COLORS, Look(opacity=0, contour=width))
    row = drawn[20]
    assert [int(value[0]) for value in row[10:20]] == [200] * min(width, 10) + [100] * (10 - min(width, 10))
    assert (row[:10] == 100).all()
    assert (drawn[:10] == 100).all()


def test_a_background_takes_the_place_of_what_is_outside_of_the_objects() -> None:
    drawn = paint(PICTURE, LABELS, COLORS, Look(opacity=0, contour=0, background="#00b140"))
    assert list(drawn[OUTSIDE]) == [0, 0xB1, 0x40]
    assert list(drawn[INSIDE]) == list(drawn[NEIGHBOUR]) == [100, 100, 100]
    assert (paint(PICTURE, np.zeros_like(LABELS), COLORS, Look(background="#00b140")) == [0, 0xB1, 0x40]).all()


def test_white_on_black_has_no_colour_of_the_frame_at_soft_edges() -> None:
    frame = np.zeros_like(PICTURE)
    frame[..., 0], frame[..., 1] = np.arange(60) * 4, 255 - np.arange(60) * 4
    white = np.zeros_like(COLORS)
    white[1:] = 255
    look = Look(opacity=1, color="#ffffff", background="#000000")
    drawn = paint(frame, LABELS, white, look)
    assert (drawn.max(axis=2) == drawn.min(axis=2)).all()
    assert list(drawn[INSIDE]) == [255, 255, 255]
    assert not drawn[OUTSIDE].any()
    two = paint(frame, LABELS, COLORS, replace(look, contour=0, background="#0000ff"))
    assert not two[:, :28, 1].any()  # The left object's edge has nothing of the right one's green.
    assert not two[:, 34:, 0].any()


def test_a_look_is_stored_and_read_back() -> None:
    options = Options(look=Look(opacity=0.2, color="#ffffff"), matte=Matte(edge=3), objects=[2])
    assert Options.read(options.stored()) == options
    assert Options().stored() == {}
    assert Options.read({"accepted_only": True}) == Options(accepted_only=True)


def test_a_look_is_refused_where_it_means_nothing_or_cannot_be(
    client_as: Callable[[User | None], Client], video: Video, owner: User
) -> None:
    add_round(video, {0: np.ones((24, 32), np.uint8)})
    client, address = client_as(owner), f"/api/videos/{video.pk}/exports"
    for kind, options, status, field in (
        ("coco", {"look": {"opacity": 0.2}}, 400, "look"),
        ("overlay", {"look": {"opacity": 2}}, 422, "body.options.look.opacity"),
        ("overlay", {"look": {"contour": 21}}, 422, "body.options.look.contour"),
        ("overlay", {"look": {"color": "red"}}, 422, "body.options.look.color"),
        ("davis", {"matte": {"edge": 3}}, 400, "matte"),
        ("overlay", {"matte": {"edge": 3}}, 400, "matte"),
        ("mattes-8", {"matte": {"premultiplied": True}}, 400, "matte"),
        ("mattes-8", {"matte": {"edge": 65}}, 422, "body.options.matte.edge"),
        ("davis", {"objects": [0]}, 422, "body.options.objects.0"),
    ):
        body = {"format": kind, "options": options}
        answer = client.post(address, body, content_type="application/json")
        assert (answer.status_code, answer.json()["field"]) == (status, field), answer.json()
    made = client.post(
        address,
        {"format": "overlay", "options": {"look": {"contour": 3, "color": "#FFAA00"}}},
        content_type="application/json",
    )
    assert made.status_code == 201
    assert Options.read(video.exports.get().options).look == Look(contour=3, color="#FFAA00")
