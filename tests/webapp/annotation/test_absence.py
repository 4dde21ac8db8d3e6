"""Tests of marking objects as absent in a span, and of leaving them out of masks there."""

from __future__ import annotations

import numpy as np
import pytest

from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import accept
from webapp.accounts.models import User
from webapp.annotation.absence import absent_spans, mark_absent, without_absent
from webapp.annotation.accepted_objects import accept_object
from webapp.annotation.models import Change, Object
from webapp.annotation.objects import add_object, update_object
from webapp.annotation.state import last_mask
from webapp.problems import Problem
from webapp.videos.models import Video


def mark(video: Video, first: int, last: int, object_id: int | None = 1, absent: bool = True) -> None:
    mark_absent(video=video, object_id=object_id, first=first, last=last, absent=absent)


def test_spans_join_and_are_taken_apart(video: Video) -> None:
    mark(video, 1, 2)
    mark(video, 5, 5)
    mark(video, 3, 4)
    assert absent_spans(video.pk) == {1: [[1, 5]]}
    mark(video, 2, 3, absent=False)
    assert absent_spans(video.pk) == {1: [[1, 1], [4, 5]]}
    mark(video, 0, 7, absent=False)
    assert absent_spans(video.pk) == {}
    told = Change.objects.filter(message__type="absent.changed").values_list("message__spans", flat=True)
    assert list(told)[-2:] == [[[1, 1], [4, 5]], []]


def test_all_objects_are_marked_at_once_except_locked_ones(video: Video, owner: User) -> None:
    add_object(video=video, author=owner)
    update_object(video=video, number=2, locked=True)
    mark(video, 0, 3, object_id=None)
    assert absent_spans(video.pk) == {1: [[0, 3]]}


@pytest.mark.parametrize(
    ("first", "last", "number", "code"),
    [(3, 2, 1, "bad_span"), (0, 8, 1, "bad_frame"), (0, 1, 9, "no_object"), (0, 1, 2, "locked")],
)
def test_what_cannot_be_marked_is_refused(
    video: Video, owner: User, first: int, last: int, number: int, code: str
) -> None:
    add_object(video=video, author=owner)
    update_object(video=video, number=2, locked=True)
    with pytest.raises(Problem) as problem:
        mark(video, first, last, number)
    assert problem.value.code == code
    assert not Object.objects.exclude(absent=[]).exists()


@pytest.mark.parametrize("absent", [True, False])
def test_accepted_frames_stay_as_they_are(video: Video, owner: User, absent: bool) -> None:
    done(video, owner, None, [0, 1, 2, 3])
    if not absent:
        mark(video, 0, 3)
    accept(video, owner, 1)
    mark(video, 0, 3, absent=absent)
    assert absent_spans(video.pk) == {1: [[0, 0], [2, 3]] if absent else [[1, 1]]}
    with pytest.raises(Problem) as problem:
        mark(video, 1, 1, absent=absent)
    text = "Frame 1 is accepted, so nothing would change. Release frames first."
    assert (problem.value.code, problem.value.text, problem.value.status) == ("accepted", text, 409)


def test_frames_in_which_the_object_is_accepted_singly_stay_as_they_are(video: Video, owner: User) -> None:
    add_object(video=video, author=owner)
    base = done(video, owner, None, [0, 1, 2, 3])
    accept_object(
        video=video, by=owner, number=1, first=1, last=2, head=base.pk, seen=last_mask(video.pk), may_accept_others=True
    )
    mark(video, 0, 3, object_id=None)
    assert absent_spans(video.pk) == {1: [[0, 0], [3, 3]], 2: [[0, 3]]}
    with pytest.raises(Problem, match="In each frame from 1 to 2 an object that would change is accepted"):
        mark(video, 1, 2)


def test_an_absent_object_is_left_out_of_a_mask() -> None:
    labels = np.array([[0, 1, 2]], np.uint8)
    spans = {1: [[0, 3]], 2: [[7, 9]]}
    assert without_absent(labels, 2, spans).tolist() == [[0, 0, 2]]
    assert without_absent(labels, 8, spans).tolist() == [[0, 1, 0]]
    assert without_absent(labels, 5, spans).tolist() == [[0, 1, 2]]
