"""Tests that a correction changes a mask only near its scribbles."""

from __future__ import annotations

import numpy as np

from segmentation import Scribble
from segmentation.classical.asked_changes import with_asked_changes

BEFORE = np.zeros((100, 100), np.uint8)
BEFORE[40:60, 10:40] = 1


def test_changes_near_a_scribble_stay_and_far_ones_are_taken_back() -> None:
    after = BEFORE.copy()
    after[40:60, 40:46] = 1  # a change that the scribble runs through, which is kept
    after[40:60, 10:20] = 0  # a change far from the scribble, which is undone
    after[90:, 90:] = 1  # a change far from the scribble, which is undone
    stroke = Scribble(1, np.array([[0.43, 0.45], [0.43, 0.55]]))
    found = with_asked_changes(BEFORE, after, [stroke])
    assert (found[40:60, 10:46] == 1).all()
    assert not found[90:, 90:].any()


def test_a_scribble_far_from_its_object_reaches_farther() -> None:
    after = BEFORE.copy()
    after[45:55, 70:95] = 1
    stroke = Scribble(1, np.array([[0.8, 0.5], [0.85, 0.5]]))
    np.testing.assert_array_equal(with_asked_changes(BEFORE, after, [stroke]), after)


def test_a_new_object_may_appear_anywhere_and_a_first_mask_is_free() -> None:
    after = BEFORE.copy()
    after[:, 80:] = 2
    stroke = Scribble(2, np.array([[0.9, 0.1]]))
    np.testing.assert_array_equal(with_asked_changes(BEFORE, after, [stroke]), after)
    nothing = np.zeros_like(BEFORE)
    np.testing.assert_array_equal(with_asked_changes(nothing, after, [stroke]), after)


def test_a_background_scribble_takes_away_only_what_it_reaches() -> None:
    stroke = Scribble(0, np.array([[0.38, 0.45], [0.38, 0.55]]))
    found = with_asked_changes(BEFORE, np.zeros_like(BEFORE), [stroke])
    assert not found[40:60, 35:].any()
    assert (found[40:60, 10:25] == 1).all()
