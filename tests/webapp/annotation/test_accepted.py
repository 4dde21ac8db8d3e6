"""Accepted frames: who may accept a mask, and which mask is meant."""

from __future__ import annotations

import pytest

from tests.webapp.annotation.test_undo import done
from webapp.accounts.models import User
from webapp.annotation.accepted import accept_frame, release_frame
from webapp.annotation.models import AcceptedFrame, Change
from webapp.problems import Forbidden, Problem
from webapp.videos.models import Video


def test_one_accepts_and_releases_what_one_made(video: Video, annotator: User) -> None:
    made = done(video, annotator, None, [0, 1])
    for _ in range(2):
        accept_frame(video=video, by=annotator, frame=1, expected_round=made.pk, may_accept_others=False)
    assert AcceptedFrame.objects.get().mask.round_id == made.pk
    for _ in range(2):
        release_frame(video=video, by=annotator, frame=1, expected_round=made.pk, may_accept_others=False)
    assert AcceptedFrame.objects.count() == 0
    logged = [change.message["round"] for change in Change.objects.filter(message__type="accepted.changed")]
    assert logged == [made.pk, None]


def test_only_reviewers_accept_and_release_for_others(video: Video, owner: User, annotator: User) -> None:
    made = done(video, owner, None, [0])
    with pytest.raises(Forbidden):
        accept_frame(video=video, by=annotator, frame=0, expected_round=made.pk, may_accept_others=False)
    accept_frame(video=video, by=owner, frame=0, expected_round=made.pk, may_accept_others=True)
    with pytest.raises(Forbidden):
        release_frame(video=video, by=annotator, frame=0, expected_round=made.pk, may_accept_others=False)
    release_frame(video=video, by=annotator, frame=0, expected_round=made.pk, may_accept_others=True)
    assert AcceptedFrame.objects.count() == 0


@pytest.mark.parametrize(("frame", "code"), [(5, "no_mask"), (99, "bad_frame")])
def test_a_frame_without_a_mask_cannot_be_accepted(video: Video, owner: User, frame: int, code: str) -> None:
    made = done(video, owner, None, [0])
    with pytest.raises(Problem) as problem:
        accept_frame(video=video, by=owner, frame=frame, expected_round=made.pk, may_accept_others=True)
    assert problem.value.code == code


def test_nobody_vouches_for_a_mask_that_they_did_not_see(video: Video, owner: User) -> None:
    shown = done(video, owner, None, [0, 1])
    newer = done(video, owner, shown.pk, [0])
    with pytest.raises(Problem, match="The mask changed meanwhile: look again") as problem:
        accept_frame(video=video, by=owner, frame=0, expected_round=shown.pk, may_accept_others=True)
    assert (problem.value.code, problem.value.extra) == ("conflict", {"head": newer.pk})
    assert AcceptedFrame.objects.count() == 0
    # The newer round has no mask of frame 1.
    accept_frame(video=video, by=owner, frame=1, expected_round=shown.pk, may_accept_others=True)
    accept_frame(video=video, by=owner, frame=0, expected_round=newer.pk, may_accept_others=True)
    for act in (accept_frame, release_frame):
        with pytest.raises(Problem) as problem:
            act(video=video, by=owner, frame=0, expected_round=shown.pk, may_accept_others=True)
        assert problem.value.code == "conflict"
    assert AcceptedFrame.objects.count() == 2
