"""Tests how a round with several drawn frames is divided into parts, and that a stored round is divided in the same
way.
"""

from __future__ import annotations

import numpy as np
import pytest

from segmentation import Click, Interaction, PastRound, Scribble
from segmentation.session.missing_objects import missing_objects
from segmentation.session.round_parts import outward, parts_of, stored_parts


def on(frame: int, *ids: int) -> Interaction:
    return Interaction(frame, tuple(Scribble(number, np.array([[0.5, 0.5]])) for number in ids or (1,)))


@pytest.mark.parametrize(
    ("direction", "zones"),
    [
        ("both", [range(5, 9), range(1, 5)]),
        ("forward", [range(7, 9), range(2, 7)]),
        ("backward", [range(3, 8), range(1, 3)]),
    ],
)
def test_drawn_frames_come_first_and_the_others_from_the_nearest(direction: str, zones: list[range]) -> None:
    parts = parts_of([on(7), on(2)], range(1, 9), direction)
    assert [part.interaction.frame for part in parts] == [7, 2, 7, 2]
    assert [part.zone for part in parts] == [range(7, 8), range(2, 3), *zones]
    assert [part.done for part in parts] == [frozenset(), frozenset(), {2, 7}, {2, 7}]


def test_a_round_of_one_frame_is_one_part() -> None:
    assert [part.zone for part in parts_of([on(4)], range(2, 7), "forward")] == [range(4, 7)]


@pytest.mark.parametrize("reached", [[7], [7, 2], [7, 2, 3, 5, 6]])
def test_a_stored_round_is_divided_like_the_one_that_ran(reached: list[int]) -> None:
    labels = {frame: np.full((2, 2), frame, np.uint8) for frame in reached}
    past = PastRound("any", (on(7), on(2)), 1, labels, {7: b"seven"})
    found = [(part.interaction.frame, sorted(part.labels)) for part in stored_parts(past, 9)]
    whole = [(7, [7]), (2, [2]), (7, [5, 6]), (2, [3])]
    assert found == [part for part in whole if set(part[1]) <= set(reached)]
    first = next(iter(stored_parts(past, 9)))
    assert (dict(first.engine_states), 5 in first.labels, len(first.labels)) == ({7: b"seven"}, False, 1)
    with pytest.raises(KeyError):
        first.labels[5]


def test_outward_takes_the_later_of_two_frames_first() -> None:
    assert list(outward(3, range(1, 7))) == [3, 4, 2, 5, 1, 6]


def test_a_new_object_is_missing_where_it_is_not_drawn_and_comes_from_the_nearest_frame() -> None:
    clicked = Interaction(9, clicks=(Click(3, (0.5, 0.5)), Click(1, (0.1, 0.1), positive=False)))
    found = missing_objects([on(0, 1, 4), on(5, 2, 0), clicked], known={4})
    assert [(each.interaction.frame, dict(each.targets), each.span) for each in found] == [
        (0, {5: {1}, 9: {1}}, (0, 9)),
        (5, {0: {2}, 9: {2}}, (0, 9)),
        (9, {0: {3}, 5: {3}}, (0, 9)),
    ]
    assert missing_objects([on(0, 1), on(5, 1)], known=()) == []
    assert missing_objects([on(0, 1), on(5, 2)], known={1, 2}) == []
