"""Tests the conversion of clicks and boxes to scribbles."""

from __future__ import annotations

import numpy as np

from segmentation import Box, Click, Interaction, Scribble
from segmentation.scribbles import rasterise
from segmentation.session.prompts import as_scribbles, strokes_of

STANDING = np.zeros((40, 60), np.uint8)
STANDING[:, 50:] = 2
STANDING[10:20, 10:20] = 1


def drawn(interaction: Interaction) -> list[tuple[int, list[list[float]]]]:
    return [(each.object_id, each.path.tolist()) for each in as_scribbles(interaction, STANDING).scribbles]


def test_scribbles_alone_stay_as_they_are() -> None:
    interaction = Interaction(3, (Scribble(1, np.array([[0.5, 0.5]])),))
    assert as_scribbles(interaction, STANDING) is interaction


def test_a_click_is_a_dot_of_its_object() -> None:
    assert drawn(Interaction(3, clicks=(Click(1, (0.5, 0.25)),))) == [(1, [[0.5, 0.25]])]


def test_a_negative_click_is_background_or_the_object_that_is_there() -> None:
    clicks = (Click(1, (0.25, 0.4), False), Click(1, (0.5, 0.5), False), Click(1, (0.95, 0.5), False))
    assert [number for number, _ in drawn(Interaction(3, clicks=clicks))] == [0, 0, 2]


def test_a_box_is_drawn_through_its_middle_and_around_it_but_not_over_others() -> None:
    box = Box(1, (0.2, 0.2, 0.9, 0.8))
    raster = rasterise(as_scribbles(Interaction(3, boxes=(box,)), STANDING).scribbles, 40, 60)
    inside = raster[9:31, 13:50]
    assert set(np.unique(inside)) == {-1, 1}
    assert (raster == 0).any()
    assert not (raster[STANDING == 2] >= 0).any()


def test_a_box_at_the_border_and_one_with_a_scribble_need_less() -> None:
    whole = Box(1, (0.0, 0.0, 1.0, 1.0))
    assert [number for number, _ in drawn(Interaction(3, boxes=(whole,)))] == [1, 1]
    stroke = (Scribble(1, np.array([[0.3, 0.3]])),)
    assert [number for number, _ in drawn(Interaction(3, stroke, boxes=(whole,)))] == [1]


def test_strokes_run_through_the_objects_that_a_mask_shows() -> None:
    strokes = strokes_of(STANDING, frozenset({1, 2, 3}))
    assert [each.object_id for each in strokes] == [1, 2]
    raster = rasterise(strokes, 40, 60)
    for number in (1, 2):
        assert (raster == number).any()
        assert (STANDING[raster == number] == number).all()
