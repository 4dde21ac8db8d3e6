"""Tests that a correction changes a mask only as its scribbles ask."""

from __future__ import annotations

import numpy as np

from segmentation import Scribble
from segmentation.classical.asked_changes import with_asked_changes
from segmentation.types import LabelMap

BEFORE = np.zeros((100, 100), np.uint8)
BEFORE[40:60, 10:40] = 1


CERTAIN = np.ones((100, 100), np.float32)


def corrected(before: LabelMap, after: LabelMap, stroke: Scribble, things: LabelMap | None = None) -> LabelMap:
    """Return the mask after `with_asked_changes`, in a frame whose colours depend on the ids in `before` and `things`.

    Each pair of an id in `before` and one in `things` has its own colour. `things` is `after` unless it is given.
    """
    shown = before.astype(np.int32) * 5 + (after if things is None else things)
    picture = np.stack([shown * 40 % 256, shown * 90 % 256, shown * 140 % 256], axis=2).astype(np.uint8)
    return with_asked_changes(before, after, [stroke], picture, np.ones(before.shape, np.float32))


def test_changes_near_a_scribble_stay_and_far_ones_are_taken_back() -> None:
    after = BEFORE.copy()
    after[40:60, 40:46] = 1  # a change that the scribble runs through, which is kept
    after[40:60, 10:20] = 0  # a change far from the scribble, which is undone
    after[90:, 90:] = 1  # a change far from the scribble, which is undone
    stroke = Scribble(1, np.array([[0.43, 0.45], [0.43, 0.55]]))
    found = corrected(BEFORE, after, stroke)
    assert (found[40:60, 10:46] == 1).all()
    assert not found[90:, 90:].any()


def test_a_scribble_far_from_its_object_reaches_farther() -> None:
    after = BEFORE.copy()
    after[46:55, 73:92] = 1
    stroke = Scribble(1, np.array([[0.8, 0.5], [0.85, 0.5]]))
    np.testing.assert_array_equal(corrected(BEFORE, after, stroke), after)


def test_a_new_object_may_appear_anywhere_and_a_first_mask_is_free() -> None:
    after = BEFORE.copy()
    after[:, 80:] = 2
    stroke = Scribble(2, np.array([[0.9, 0.1]]))
    np.testing.assert_array_equal(corrected(BEFORE, after, stroke), after)
    nothing = np.zeros_like(BEFORE)
    np.testing.assert_array_equal(corrected(nothing, after, stroke), after)


def test_a_background_scribble_takes_away_only_what_it_reaches() -> None:
    stroke = Scribble(0, np.array([[0.36, 0.4], [0.36, 0.6]]))
    things = np.zeros_like(BEFORE)
    things[:, 32:] = 3
    found = corrected(BEFORE, np.zeros_like(BEFORE), stroke, things)
    assert not found[40:60, 34:].any()
    assert (found[40:60, 10:25] == 1).all()


def test_a_scribble_takes_no_pixel_from_its_object_and_moves_none_between_others() -> None:
    before = BEFORE.copy()
    before[60:70, 10:40] = 2
    after = before.copy()
    after[40:60, 40:46] = 1  # This is what the scribble asks for.
    after[40:60, 36:40] = 0  # A loss of its own object beside it.
    after[58:60, 10:40] = 2  # A loss to another object.
    after[60:62, 30:40] = 0  # A loss of another object to the background.
    stroke = Scribble(1, np.array([[0.43, 0.4], [0.43, 0.6]]))
    found = corrected(before, after, stroke)
    assert (found[40:60, 10:46] == 1).all()
    np.testing.assert_array_equal(found[60:], before[60:])


def test_a_short_scribble_at_the_edge_does_not_move_the_whole_edge() -> None:
    before = np.zeros((200, 200), np.uint8)
    before[80:120, 20:60] = 1
    after = before.copy()
    after[80:120, 60:66] = 1
    stroke = Scribble(1, np.array([[0.31, 0.5], [0.32, 0.5]]))
    found = corrected(before, after, stroke)
    assert (found[96:104, 60:66] == 1).all()
    assert not found[80:90, 60:].any()
    assert not found[110:120, 60:].any()


def test_a_band_that_looks_like_its_surroundings_changes_only_under_the_scribble() -> None:
    random = np.random.default_rng(0)
    waves = random.integers(60, 120, (100, 100, 3)).astype(np.uint8)
    after = BEFORE.copy()
    after[44:57, 40:90] = 1
    stroke = Scribble(1, np.array([[0.4, 0.5], [0.88, 0.5]]))
    found = with_asked_changes(BEFORE, after, [stroke], waves, CERTAIN)
    assert (found[50, 41:87] == 1).all()
    assert not found[44:48, 40:].any()
    assert not found[53:57, 40:].any()
    removed = with_asked_changes(after, BEFORE, [Scribble(0, stroke.path)], waves, CERTAIN)
    assert not removed[46:55, 45:85].any()  # What looks like the object can still be taken away from it.
    waves[44:57, 40:90] += 80  # Now the frame shows a thing of this width.
    np.testing.assert_array_equal(with_asked_changes(BEFORE, after, [stroke], waves, CERTAIN), after)


def test_a_scribble_that_reaches_a_part_of_a_large_missing_thing_changes_that_part() -> None:
    picture = np.random.default_rng(0).integers(60, 120, (100, 100, 3)).astype(np.uint8)
    before = np.zeros_like(BEFORE)
    before[5:95, 10:40] = 1
    after = before.copy()
    after[5:95, 40:95] = 1
    picture[5:95, 40:95] += 80
    stroke = Scribble(1, np.array([[0.46, 0.3], [0.46, 0.7]]))
    found = with_asked_changes(before, after, [stroke], picture, CERTAIN)
    # What surrounds the part within reach is the rest of the thing, and looks like it.
    assert (found[40:60, 40:50] == 1).all()
    assert not found[:, 70:].any()


def test_a_thing_that_shares_the_colours_of_its_surroundings_changes_where_it_has_an_edge() -> None:
    shades = np.random.default_rng(0).integers(40, 60, (100, 100, 3)).astype(np.uint8)
    after = BEFORE.copy()
    after[44:57, 40:90] = 1
    shades[:, 65:] += 120
    shades[44:57, 40:65] += 120
    shades[44:57, 65:90] -= 120
    stroke = Scribble(1, np.array([[0.4, 0.5], [0.88, 0.5]]))
    found = with_asked_changes(BEFORE, after, [stroke], shades, CERTAIN)
    np.testing.assert_array_equal(found, after)


def test_a_small_change_beside_the_scribble_that_the_engine_doubts_stays_only_where_it_is_sure() -> None:
    before = np.zeros((100, 100), np.uint8)
    before[20:80, 10:40] = 1
    after = before.copy()
    after[40:60, 40:46] = 1
    picture = (np.stack([after] * 3, axis=2) * 200).astype(np.uint8)
    stroke = Scribble(1, np.array([[0.43, 0.4], [0.43, 0.6]]))
    doubted = np.full(before.shape, 0.7, np.float32)
    doubted[50, 45] = 0.95
    gained = with_asked_changes(before, after, [stroke], picture, doubted) != before
    assert gained[41:59, 42:44].all()
    assert gained[50, 45]
    assert not gained[:50, 45].any()
    np.testing.assert_array_equal(with_asked_changes(before, after, [stroke], picture, doubted + 0.1), after)
    removed = with_asked_changes(after, before, [Scribble(0, stroke.path)], picture, doubted)
    assert not removed[41:59, 42:44].any()
    assert removed[40:50, 45].all()


def test_pixels_of_free_ids_change_everywhere_and_others_as_asked() -> None:
    before = BEFORE.copy()
    before[80:90, 60:90] = 2
    after = BEFORE.copy()
    after[40:60, 10:20] = 0
    after[5:15, 5:15] = 1
    after[80:90, 60:70] = 1
    stroke = Scribble(1, np.array([[0.43, 0.45], [0.43, 0.55]]))
    after[45:56, 42:45] = 1
    picture = np.zeros((100, 100, 3), np.uint8)
    found = with_asked_changes(before, after, [stroke], picture, CERTAIN, free=(0, 1))
    np.testing.assert_array_equal(found[:80], after[:80])
    np.testing.assert_array_equal(found[80:], before[80:])
