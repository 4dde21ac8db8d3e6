"""Tests which wrong parts of a mask get a synthetic correcting scribble, and that it lies in the wrong part."""

import numpy as np

from segmentation.scribbles import rasterise
from segmentation.training.synthetic_scribbles import thorough_scribbles

HEIGHT, WIDTH = 90, 160


def masks() -> tuple[np.ndarray, np.ndarray]:
    """Return the true mask of an object, and a mask that lacks two parts of the object and has a false part."""
    truth = np.zeros((HEIGHT, WIDTH), np.uint8)
    truth[20:70, 30:110] = 1
    found = truth.copy()
    found[20:45, 30:50] = 0
    found[45:70, 85:110] = 0
    found[30:60, 115:150] = 1
    return truth, found


def test_every_wrong_part_gets_a_scribble_of_its_true_id() -> None:
    truth, found = masks()
    strokes = thorough_scribbles(truth, found, 1)
    assert sorted(stroke.object_id for stroke in strokes) == [0, 1, 1]
    for stroke in strokes:
        line = rasterise([stroke], HEIGHT, WIDTH) == stroke.object_id
        assert (truth[line] == stroke.object_id).all()
        assert (found[line] != stroke.object_id).all()


def test_thin_parts_get_none_beside_thick_ones() -> None:
    truth, found = masks()
    found[69, 30:85] = 0  # also lacks a line, one pixel thick, along the lower edge
    strokes = thorough_scribbles(truth, found, 1)
    assert len(strokes) == 3
    assert not any((rasterise([stroke], HEIGHT, WIDTH)[69, 30:80] == 1).any() for stroke in strokes)


def test_a_part_that_is_thin_throughout_still_gets_one() -> None:
    truth, _ = masks()
    found = truth.copy()
    found[69, :] = 0
    (stroke,) = thorough_scribbles(truth, found, 1)
    assert stroke.object_id == 1


def test_nothing_is_drawn_where_nothing_is_wrong_or_nobody_knows() -> None:
    truth, found = masks()
    assert thorough_scribbles(truth, truth, 1) == ()
    unknown = np.where(truth != found, 255, truth).astype(np.uint8)
    assert thorough_scribbles(unknown, found, 1) == ()
