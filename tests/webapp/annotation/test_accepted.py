"""Tests of accepting and releasing masks: who may do so, and that nobody accepts a mask that they have not seen."""

from __future__ import annotations

import pytest

from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import accept
from webapp.accounts.models import User
from webapp.annotation.accepted import accept_frames, accepted_frames, release_frames
from webapp.annotation.head import head_of
from webapp.annotation.models import AcceptedFrame, Change
from webapp.annotation.state import last_mask
from webapp.annotation.undo import move_head
from webapp.problems import Forbidden, Problem
from webapp.videos.models import Video


def accept_own(video: Video, by: User, first: int, last: int, seen: int | None = None, head: int | None = None) -> int:
    return accept_frames(
        video=video,
        by=by,
        first=first,
        last=last,
        head=head or head_of(video.pk),
        seen=last_mask(video.pk) if seen is None else seen,
        may_accept_others=False,
    )


def release(video: Video, by: User, first: int, last: int, reviews: bool = False, seen: int | None = None) -> int:
    seen = last_mask(video.pk) if seen is None else seen
    return release_frames(video=video, by=by, first=first, last=last, seen=seen, may_accept_others=reviews)


def test_a_span_is_accepted_and_released_at_once(video: Video, annotator: User) -> None:
    first = done(video, annotator, None, [0, 1, 2, 4])
    second = done(video, annotator, first.pk, [2])
    assert accept_own(video, annotator, 0, 4) == 4
    assert accept_own(video, annotator, 0, 4) == 0
    assert accepted_frames(video.pk) == {0, 1, 2, 4}
    assert release(video, annotator, 1, 7) == 3
    assert release(video, annotator, 1, 7) == 0
    assert accepted_frames(video.pk) == {0}
    logged = [change.message["spans"] for change in Change.objects.filter(message__type="accepted.changed")]
    assert logged == [
        [
            {"first": 0, "last": 1, "round": first.pk},
            {"first": 2, "last": 2, "round": second.pk},
            {"first": 4, "last": 4, "round": first.pk},
        ],
        [{"first": 1, "last": 2, "round": None}, {"first": 4, "last": 4, "round": None}],
    ]


def test_only_reviewers_accept_and_release_for_others(video: Video, owner: User, annotator: User) -> None:
    own = done(video, annotator, None, [0, 1])
    done(video, owner, own.pk, [1])
    with pytest.raises(Forbidden, match="frame 1 is from somebody else"):
        accept_own(video, annotator, 0, 1)
    assert accepted_frames(video.pk) == set()
    accept(video, owner, 0, 1)
    with pytest.raises(Forbidden, match="accepted frame 0"):
        release(video, annotator, 0, 1)
    assert release(video, annotator, 0, 1, reviews=True) == 2


@pytest.mark.parametrize(
    ("first", "last", "code"), [(5, 6, "no_mask"), (99, 99, "bad_frame"), (0, 8, "bad_frame"), (2, 1, "bad_span")]
)
def test_a_span_without_masks_or_frames_cannot_be_accepted(
    video: Video, owner: User, first: int, last: int, code: str
) -> None:
    done(video, owner, None, [0])
    with pytest.raises(Problem) as problem:
        accept(video, owner, first, last)
    assert problem.value.code == code


def test_nobody_vouches_for_a_mask_that_they_did_not_see(video: Video, owner: User) -> None:
    shown = done(video, owner, None, [0, 1])
    seen = last_mask(video.pk)
    newer = done(video, owner, shown.pk, [0])
    with pytest.raises(Problem, match="The mask changed meanwhile: look again") as problem:
        accept_own(video, owner, 0, 1, seen=seen, head=shown.pk)
    assert (problem.value.code, problem.value.extra) == ("conflict", {"head": newer.pk})
    assert AcceptedFrame.objects.count() == 0
    # Frame 1 can be accepted, since the newer round has no mask of it.
    assert accept_own(video, owner, 1, 1, seen=seen, head=shown.pk) == 1
    assert accept_own(video, owner, 0, 1) == 1
    with pytest.raises(Problem) as problem:
        release(video, owner, 0, 1, seen=seen)
    assert problem.value.code == "conflict"
    assert AcceptedFrame.objects.count() == 2


def test_a_mask_that_was_undone_meanwhile_is_not_accepted(video: Video, owner: User) -> None:
    first = done(video, owner, None, [0])
    second = done(video, owner, first.pk, [0])
    move_head(video=video, by=owner, from_round=second.pk, to_round=first.pk)
    with pytest.raises(Problem) as problem:
        accept_own(video, owner, 0, 0, head=second.pk)
    assert problem.value.code == "conflict"
