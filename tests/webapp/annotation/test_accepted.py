"""Accepted frames."""

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
        accept_frame(video=video, by=annotator, frame=1, may_accept_others=False)
    assert AcceptedFrame.objects.get().mask.round_id == made.pk
    for _ in range(2):
        release_frame(video=video, by=annotator, frame=1, may_accept_others=False)
    assert AcceptedFrame.objects.count() == 0
    logged = [one.message["round"] for one in Change.objects.filter(message__type="accepted.changed")]
    assert logged == [made.pk, None]


def test_only_reviewers_accept_and_release_for_others(video: Video, owner: User, annotator: User) -> None:
    done(video, owner, None, [0])
    with pytest.raises(Forbidden):
        accept_frame(video=video, by=annotator, frame=0, may_accept_others=False)
    accept_frame(video=video, by=owner, frame=0, may_accept_others=True)
    with pytest.raises(Forbidden):
        release_frame(video=video, by=annotator, frame=0, may_accept_others=False)
    release_frame(video=video, by=annotator, frame=0, may_accept_others=True)
    assert AcceptedFrame.objects.count() == 0


@pytest.mark.parametrize(("frame", "code"), [(5, "no_mask"), (99, "bad_frame")])
def test_a_frame_without_a_mask_cannot_be_accepted(video: Video, owner: User, frame: int, code: str) -> None:
    done(video, owner, None, [0])
    with pytest.raises(Problem) as problem:
        accept_frame(video=video, by=owner, frame=frame, may_accept_others=True)
    assert problem.value.code == code
