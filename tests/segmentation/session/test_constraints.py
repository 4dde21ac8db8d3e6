"""Tests how people's decisions (fixed, absent and frozen objects) are applied to the masks of an engine."""

from __future__ import annotations

import numpy as np

from segmentation import Interaction, Scribble
from segmentation.session.constraints import Constraints, RoundLimits
from segmentation.types import LabelMap

NO_LIMITS = RoundLimits()


def mask(*rows: str) -> LabelMap:
    return np.array([[int(letter) for letter in row] for row in rows], np.uint8)


def applied(
    constraints: Constraints, labels: LabelMap, standing: LabelMap | None = None, limits: RoundLimits = NO_LIMITS
) -> list[str]:
    found = constraints.applied(3, labels, lambda: standing, limits, 3)
    return ["".join(str(value) for value in row) for row in found.tolist()]


def test_a_mask_that_agrees_is_returned_as_it_is() -> None:
    constraints, labels = Constraints(), mask("0112")
    constraints.give(4, mask("3333"), frozenset({3}))
    assert constraints.applied(3, labels, lambda: None, NO_LIMITS, 3) is labels
    constraints.give(3, mask("0110"), frozenset({1}))
    assert constraints.applied(3, labels, lambda: None, NO_LIMITS, 3) is labels


def test_fixed_pixels_win_and_lost_pixels_become_background() -> None:
    constraints, labels = Constraints(), mask("0112")
    constraints.give(3, mask("0021"), frozenset({1}))
    assert applied(constraints, labels) == ["0001"]
    constraints.lock(3, mask("2000"), frozenset({2}))
    assert applied(constraints, labels) == ["2001"]
    assert labels.tolist() == [[0, 1, 1, 2]]
    assert constraints.shown == {3: frozenset({1, 2})}
    constraints.unlock(3, [2])
    constraints.release(3, [1])
    assert (applied(constraints, labels), constraints.shown, constraints.fixed_labels(3)) == (["0112"], {}, None)


def test_giving_one_object_after_another_keeps_both() -> None:
    constraints = Constraints()
    constraints.give(3, mask("1100"), frozenset({1}))
    constraints.give(3, mask("0220"), frozenset({2}))
    assert applied(constraints, mask("0000")) == ["1220"]
    constraints.give(3, mask("0000"), frozenset({2}))
    assert applied(constraints, mask("2222")) == ["1000"]
    assert constraints.fixed_ids(3) == {1, 2}


def test_frozen_and_unlisted_objects_keep_their_standing_pixels() -> None:
    constraints = Constraints()
    constraints.frozen = frozenset({2})
    assert applied(constraints, mask("1122"), mask("0200")) == ["1200"]
    assert applied(constraints, mask("1122")) == ["1100"]
    only = RoundLimits(objects=frozenset({2, 3}))
    assert applied(Constraints(), mask("1322"), mask("0011"), only) == ["0311"]


def test_spans_of_absence_are_joined_and_cut() -> None:
    constraints = Constraints()
    constraints.set_absent(1, 2, 8, True)
    constraints.set_absent(1, 3, 3, False)
    assert [frame for frame in range(10) if constraints.absent_ids(frame)] == [2, 4, 5, 6, 7, 8]
    assert applied(constraints, mask("1")) == ["1"]
    constraints.set_absent(1, 0, 3, True)
    assert applied(constraints, mask("12")) == ["02"]
    constraints.give(3, mask("10"), frozenset({1}))
    assert applied(constraints, mask("02")) == ["12"]


def test_a_box_cuts_its_object_and_missing_objects_fill_free_pixels_in_the_drawn_frame_only() -> None:
    limits = RoundLimits(frame=3, windows={1: (0.25, 0, 0.5, 1)}, fill=mask("22222"))
    assert applied(Constraints(), mask("11111"), None, limits) == ["21122"]
    elsewhere = RoundLimits(frame=4, windows={1: (0.25, 0, 0.5, 1)}, fill=mask("22222"))
    assert applied(Constraints(), mask("11111"), None, elsewhere) == ["11111"]


def test_scribbles_release_their_object_and_those_that_they_cross() -> None:
    constraints = Constraints()
    constraints.give(3, mask("11000", "00220", "00000"), frozenset({1, 2, 3}))
    beside = Interaction(3, (Scribble(0, np.array([[0.0, 1.0], [1.0, 1.0]])),))
    assert constraints.released_by(beside) is None
    across = Interaction(3, (Scribble(0, np.array([[0.0, 0.0], [0.1, 0.0]])),))
    released = constraints.released_by(across)
    assert released is not None
    assert released[1] == {1}
    own = Interaction(3, (Scribble(3, np.array([[0.9, 0.9]])), Scribble(2, np.array([[0.5, 0.5]]))))
    assert constraints.released_by(own) is not None
    assert constraints.given_ids(3) == frozenset()


def test_a_scribble_does_not_release_what_was_given_after_it_was_drawn() -> None:
    constraints = Constraints()
    constraints.give(3, mask("11000", "00220", "00000"), frozenset({1, 2, 3}))
    along = np.array([[0.0, 0.0], [1.0, 0.0]])
    earlier, later = Scribble(0, along, frozenset({1, 3})), Scribble(0, np.array([[0.5, 0.5]]), frozenset({3}))
    assert constraints.released_by(Interaction(3, (earlier,))) is None
    released = constraints.released_by(Interaction(3, (earlier, later)))
    assert released is not None
    assert released[1] == {2}
    released = constraints.released_by(Interaction(3, (earlier, Scribble(3, along))))
    assert released is not None
    assert released[1] == {1, 3}, "the newer scribble, on the same pixels, was drawn after object 1 was given"
