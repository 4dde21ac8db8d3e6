"""Tests of scene cuts: users change them, and a round ends at them unless it is asked to cross them."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.webapp.conftest import draw
from webapp.accounts.models import User
from webapp.annotation.cuts import set_cuts
from webapp.annotation.models import Round
from webapp.annotation.rounds import Reach, create_round
from webapp.annotation.state import state_of
from webapp.problems import Problem
from webapp.projects.models import Role
from webapp.videos.models import Video


def round_of(video: Video, by: User, frames: list[int], reach: Reach | None = None) -> Round:
    for frame in frames:
        draw(video, by, frame)
    return create_round(video=video, author=by, key=uuid4(), frames=frames, engine="fake", base=None, reach=reach)


@pytest.mark.parametrize(
    ("frames", "reach", "span"),
    [
        ([3], Reach(), [2, 4]),
        ([2], Reach(), [2, 4]),
        ([0], Reach(), [0, 1]),
        ([7], Reach(), [5, 7]),
        ([1, 3], Reach(), [0, 4]),
        ([3], Reach(span=(3, 7)), [3, 4]),
        ([3], Reach(span=(1, 7), across_cuts=True), [1, 7]),
        ([3], Reach(across_cuts=True), None),
    ],
    ids=str,
)
def test_a_round_ends_at_the_cuts_around_what_was_drawn(
    video: Video, owner: User, frames: list[int], reach: Reach, span: list[int] | None
) -> None:
    set_cuts(video=video, cuts=[5, 2, 2])
    assert state_of(video, Role.OWNER).cuts == [2, 5]
    assert round_of(video, owner, frames, reach).span == span


@pytest.mark.parametrize(("cut", "code"), [(0, "bad_cut"), (8, "bad_frame")])
def test_a_cut_that_begins_no_new_scene_is_refused(video: Video, cut: int, code: str) -> None:
    with pytest.raises(Problem) as problem:
        set_cuts(video=video, cuts=[2, cut])
    assert problem.value.code == code
    video.refresh_from_db()
    assert video.cuts == []
