"""Tests of accepting a single object in some frames: who may do so, what keeps its pixels, and what ends it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.webapp.annotation.test_painting import paint, shown, square
from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import run
from webapp.accounts.models import User
from webapp.annotation.accepted_objects import accept_object, accepted_at, accepted_objects, release_object
from webapp.annotation.claims import claim
from webapp.annotation.head import head_of
from webapp.annotation.models import AcceptedObject, Change, Mask
from webapp.annotation.objects import add_object, update_object
from webapp.annotation.pins import NewPin, add_pin, change_pin
from webapp.annotation.state import last_mask, state_of
from webapp.annotation.undo import move_head
from webapp.problems import Forbidden, Problem
from webapp.projects.models import Role
from webapp.quality.numbers import numbers_of
from webapp.videos.models import Video


def accept(video: Video, by: User, first: int, last: int, reviews: bool = True, seen: int | None = None) -> int:
    return accept_object(
        video=video,
        by=by,
        number=1,
        first=first,
        last=last,
        head=head_of(video.pk),
        seen=last_mask(video.pk) if seen is None else seen,
        may_accept_others=reviews,
    )


def release(video: Video, by: User, first: int, last: int, reviews: bool = True) -> int:
    seen = last_mask(video.pk)
    return release_object(video=video, by=by, number=1, first=first, last=last, seen=seen, may_accept_others=reviews)


def spans(video: Video) -> list[tuple[int, int, int]]:
    """Return the spans in which object 1 is accepted, as the page gets them."""
    found = state_of(video, Role.REVIEWER).accepted_objects.get(1, [])
    return [(span.first, span.last, span.round) for span in found]


def test_an_object_is_accepted_and_released_in_a_span(video: Video, owner: User, annotator: User) -> None:
    first = done(video, annotator, None, [0, 1, 2, 4])
    second = done(video, annotator, first.pk, [2])
    assert accept(video, owner, 0, 7) == 4
    assert accept(video, owner, 0, 4) == 0  # It is accepted already.
    assert spans(video) == [(0, 1, first.pk), (2, 2, second.pk), (4, 4, first.pk)]
    with pytest.raises(Forbidden, match="Somebody else accepted Fish in frame 1"):
        release(video, annotator, 1, 4, reviews=False)
    assert release(video, owner, 1, 4) == 3
    logged = Change.objects.filter(message__type="object.accepted").values_list("message", flat=True)
    assert list(logged.order_by("pk"))[-1]["spans"] == [{"first": 0, "last": 0, "round": first.pk}]
    (row,) = numbers_of(video.project_id, "object")
    assert (row.name, row.accepted_objects, row.accepted_frames) == ("reef.mp4: Fish", 1, 0)


def test_an_acceptance_counts_while_its_round_is_on_the_line(video: Video, owner: User) -> None:
    first = done(video, owner, None, [0, 1])
    second = done(video, owner, first.pk, [1])
    accept(video, owner, 1, 1)
    assert accepted_objects(video.pk, second.pk).keys() == {1}
    move_head(video=video, by=owner, from_round=second.pk, to_round=first.pk)
    assert accepted_at(video.pk, first.pk, 1) == set()
    assert accept(video, owner, 1, 1) == 1  # The mask of the first round, in place of the other one.
    assert spans(video) == [(1, 1, first.pk)]


def test_the_numbers_count_the_acceptances_on_the_line_of_the_head(video: Video, owner: User) -> None:
    first = done(video, owner, None, [0, 1])
    second = done(video, owner, first.pk, [1])
    accept(video, owner, 0, 1)
    assert numbers_of(video.project_id, "object")[0].accepted_objects == 2
    move_head(video=video, by=owner, from_round=second.pk, to_round=first.pk)
    assert numbers_of(video.project_id, "object")[0].accepted_objects == 1


def logged_spans() -> Any:
    """Return the spans in the last message about an acceptance."""
    logged = Change.objects.filter(message__type="object.accepted").order_by("pk").last()
    assert logged
    return logged.message["spans"]


def test_redo_of_an_older_version_ends_an_acceptance_whose_pixels_it_changes(video: Video, owner: User) -> None:
    first = done(video, owner, None, [0, 1, 2])
    second = done(video, owner, first.pk, [1], label=2)  # Object 1 has no pixels here.
    third = done(video, owner, second.pk, [2])  # The pixels of object 1 are the same as before.
    move_head(video=video, by=owner, from_round=third.pk, to_round=first.pk)
    accept(video, owner, 0, 2)
    move_head(video=video, by=owner, from_round=first.pk, to_round=third.pk)
    assert accepted_objects(video.pk, third.pk).keys() == {0, 2}
    assert [span["first"] for span in logged_spans()] == [0, 2]


def test_redo_of_a_damaged_mask_ends_the_acceptance_below_it(video: Video, owner: User) -> None:
    first = done(video, owner, None, [0, 1])
    second = done(video, owner, first.pk, [1])
    move_head(video=video, by=owner, from_round=second.pk, to_round=first.pk)
    accept(video, owner, 0, 1)
    Mask.objects.filter(round=second).update(data=b"\x07")
    move_head(video=video, by=owner, from_round=first.pk, to_round=second.pk)
    assert accepted_objects(video.pk, second.pk).keys() == {0}


def test_undo_and_redo_of_a_later_version_keep_an_acceptance(video: Video, owner: User) -> None:
    first = done(video, owner, None, [0, 1])
    accept(video, owner, 0, 1)
    second = done(video, owner, first.pk, [2, 1], label=2)
    for head, to in ((second.pk, first.pk), (first.pk, None), (None, second.pk)):
        move_head(video=video, by=owner, from_round=head, to_round=to)
    assert accepted_objects(video.pk, second.pk).keys() == {0, 1}


def test_an_object_that_comes_back_is_accepted_only_where_nothing_changed_meanwhile(video: Video, owner: User) -> None:
    add_object(video=video, author=owner)
    made = done(video, owner, None, [0, 1, 2])
    accept(video, owner, 0, 2)
    update_object(video=video, number=1, deleted=True)
    update_object(video=video, number=1, deleted=False)
    assert accepted_objects(video.pk, made.pk).keys() == {0, 1, 2}
    update_object(video=video, number=1, deleted=True)
    paint(video, owner, square(5), object_id=2, over="all")
    update_object(video=video, number=1, deleted=False)
    assert accepted_objects(video.pk, head_of(video.pk)).keys() == {1, 2}
    assert [(span["first"], span["last"]) for span in logged_spans()] == [(1, 2)]


def test_a_person_accepts_only_what_is_theirs_and_what_they_saw(video: Video, owner: User, annotator: User) -> None:
    made = done(video, owner, None, [0, 1])
    cases: list[tuple[type[Problem], str, dict[str, Any]]] = [
        (Forbidden, "forbidden", {"by": annotator, "reviews": False}),
        (Problem, "conflict", {"by": owner, "seen": 0}),
        (Problem, "no_mask", {"by": owner, "first": 5, "last": 6}),
        (Problem, "bad_frame", {"by": owner, "last": 99}),
    ]
    for kind, code, given in cases:
        with pytest.raises(kind) as problem:
            accept(video, **{"first": 0, "last": 1, **given})
        assert problem.value.code == code
    assert claim(run(video, owner, made.pk, frame=1).pk, "w")
    with pytest.raises(Problem, match="Round 2 is being computed"):
        accept(video, owner, 0, 1)
    assert not AcceptedObject.objects.exists()


def test_painting_keeps_the_pixels_of_an_accepted_object(video: Video, owner: User) -> None:
    add_object(video=video, author=owner)
    paint(video, owner, square(3))
    accept(video, owner, 0, 0)
    before = shown(video) == 1
    with pytest.raises(Problem, match="Object 1 is accepted in frame 0"):
        paint(video, owner, square(8))
    paint(video, owner, square(5), object_id=2, over="all")
    assert np.array_equal(shown(video) == 1, before)
    assert (shown(video) == 2).any()


def test_a_pin_about_an_object_takes_its_acceptance_back(video: Video, owner: User, annotator: User) -> None:
    done(video, annotator, None, [0, 1, 2, 3])
    accept(video, owner, 0, 3)
    wrong = NewPin(1, "Edge", object_id=1, last=2)
    add_pin(video=video, author=annotator, pin=wrong)
    assert len(spans(video)) == 1  # An annotator does not take back what somebody else accepted.
    pin = add_pin(video=video, author=owner, pin=wrong, reviews=True)
    assert [span[:2] for span in spans(video)] == [(0, 0), (3, 3)]
    told = Change.objects.filter(message__type="pin.changed").order_by("pk").last()
    assert told
    assert (told.message["pin"]["frame"], told.message["pin"]["last"]) == (1, 2)
    change_pin(pin=pin, by=owner, resolved=True)
    assert numbers_of(video.project_id, "object")[0].rejected_objects == 2
    for last, words in ((0, "has no frames"), (8, "is outside this video")):
        with pytest.raises(Problem, match=words):
            add_pin(video=video, author=owner, pin=NewPin(1, "Edge", object_id=1, last=last))


def test_an_object_that_does_not_exist_is_neither_accepted_nor_released(video: Video, owner: User) -> None:
    what: dict[str, Any] = {"number": 9, "first": 0, "last": 0, "seen": 0, "may_accept_others": True}
    with pytest.raises(Problem, match="Object 9 is not there any more"):
        accept_object(video=video, by=owner, head=None, **what)
    with pytest.raises(Problem, match="Object 9 is not there any more"):
        release_object(video=video, by=owner, **what)
