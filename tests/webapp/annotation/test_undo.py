"""Tests of undo and redo: they move the head (the round that the video stands at) and delete nothing."""

from __future__ import annotations

import pytest

from tests.webapp.conftest import make_video, run, some_mask
from webapp.accounts.models import User
from webapp.annotation.claims import claim, finish, store
from webapp.annotation.head import head_of
from webapp.annotation.masks import effective, line_of
from webapp.annotation.models import Change, Mask, Round, RoundState
from webapp.annotation.objects import add_object
from webapp.annotation.rounds import cancel_round
from webapp.annotation.scribbles import waiting
from webapp.annotation.undo import move_head
from webapp.problems import Forbidden, NotFound, Problem
from webapp.projects.models import Role
from webapp.videos.models import Video


def done(video: Video, author: User, base: int | None, frames: list[int], label: int = 1) -> Round:
    made = run(video, author, base, frame=frames[0])
    claimed = claim(made.pk, "w")
    assert claimed
    store(claimed, [some_mask(frame, label) for frame in frames])
    finish(claimed, complete=True)
    return made


def test_undo_and_redo(video: Video, owner: User) -> None:
    first = done(video, owner, None, [0, 1, 2])
    second = done(video, owner, first.pk, [1])
    move_head(video=video, by=owner, from_round=second.pk, to_round=first.pk)
    assert head_of(video.pk) == first.pk
    move_head(video=video, by=owner, from_round=first.pk, to_round=None)
    assert head_of(video.pk) is None
    move_head(video=video, by=owner, from_round=None, to_round=second.pk)
    assert head_of(video.pk) == second.pk
    assert Mask.objects.count() == 4


def test_a_round_after_an_undo_starts_a_branch(video: Video, owner: User) -> None:
    first = done(video, owner, None, [0])
    second = done(video, owner, first.pk, [1])
    move_head(video=video, by=owner, from_round=second.pk, to_round=first.pk)
    third = done(video, owner, first.pk, [2])
    assert line_of(third.pk) == [first.pk, third.pk]
    assert line_of(second.pk) == [first.pk, second.pk]
    assert list(effective(video.pk, third.pk)) == [0, 2]
    assert Round.objects.filter(video=video).count() == 3


def test_a_move_from_another_head_is_a_conflict(video: Video, owner: User) -> None:
    first = done(video, owner, None, [0])
    second = done(video, owner, first.pk, [1])
    with pytest.raises(Problem) as problem:
        move_head(video=video, by=owner, from_round=first.pk, to_round=None)
    assert problem.value.code == "conflict"
    assert problem.value.extra == {"head": second.pk}


def test_a_move_that_was_made_already_is_fine(video: Video, owner: User) -> None:
    first = done(video, owner, None, [0])
    move_head(video=video, by=owner, from_round=first.pk, to_round=None)
    move_head(video=video, by=owner, from_round=first.pk, to_round=None)
    assert head_of(video.pk) is None


def test_undoing_a_round_that_waits_cancels_it_and_gives_its_scribbles_back(video: Video, owner: User) -> None:
    made = run(video, owner, None)
    move_head(video=video, by=owner, from_round=made.pk, to_round=None)
    made.refresh_from_db()
    assert made.state == RoundState.CANCELLED
    assert len(waiting(video, owner, [0])) == 1


def test_undoing_a_round_that_runs_stops_it(video: Video, owner: User) -> None:
    made = run(video, owner, None)
    claimed = claim(made.pk, "w")
    assert claimed
    store(claimed, [some_mask(0)])
    move_head(video=video, by=owner, from_round=made.pk, to_round=None)
    assert not store(claimed, [some_mask(1)])
    assert finish(claimed, complete=False) == RoundState.CANCELLED
    assert head_of(video.pk) is None


@pytest.mark.parametrize("running", [False, True])
def test_annotators_do_not_undo_rounds_of_others_that_have_not_ended(
    video: Video, owner: User, annotator: User, running: bool
) -> None:
    first = done(video, owner, None, [0])
    made = run(video, owner, first.pk)
    if running:
        assert claim(made.pk, "w")
    log = Change.objects.count()
    with pytest.raises(Forbidden) as problem:
        move_head(video=video, by=annotator, from_round=made.pk, to_round=first.pk)
    assert problem.value.text.startswith("Round 2 of Owner has not ended yet")
    made.refresh_from_db()
    assert (made.state, made.cancel_requested) == ("running" if running else "queued", False)
    assert (head_of(video.pk), Change.objects.count()) == (made.pk, log)


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.MANAGER, Role.OWNER])
def test_reviewers_undo_rounds_of_others_that_have_not_ended(
    video: Video, cast: dict[Role, User], annotator: User, role: Role
) -> None:
    made = run(video, annotator, None)
    move_head(video=video, by=cast[role], from_round=made.pk, to_round=None)
    made.refresh_from_db()
    assert made.state == RoundState.CANCELLED
    assert head_of(video.pk) is None


def test_annotators_go_back_from_rounds_of_others_that_have_ended_or_are_ending(
    video: Video, owner: User, annotator: User
) -> None:
    first = done(video, owner, None, [0])
    made = run(video, owner, first.pk)
    claimed = claim(made.pk, "w")
    assert claimed
    cancel_round(video=video, by=owner, round_id=made.pk, may_stop_others=False)
    move_head(video=video, by=annotator, from_round=made.pk, to_round=first.pk)
    move_head(video=video, by=annotator, from_round=first.pk, to_round=None)
    assert finish(claimed, complete=False) == RoundState.CANCELLED
    assert head_of(video.pk) is None


def test_one_undoes_ones_own_round_on_top_of_somebody_else_s(video: Video, owner: User, annotator: User) -> None:
    """An annotator moves the head from their own round back to the running round of another user.

    The other user's round is not cancelled, so the annotator needs no right to cancel it.
    """
    theirs = run(video, owner, None)
    assert claim(theirs.pk, "w")
    own = run(video, annotator, theirs.pk)
    move_head(video=video, by=annotator, from_round=own.pk, to_round=theirs.pk)
    own.refresh_from_db()
    theirs.refresh_from_db()
    assert own.state == RoundState.CANCELLED
    assert (theirs.state, theirs.cancel_requested) == (RoundState.RUNNING, False)
    assert head_of(video.pk) == theirs.pk


def test_there_is_no_going_to_a_round_without_masks(video: Video, owner: User) -> None:
    made = run(video, owner, None)
    move_head(video=video, by=owner, from_round=made.pk, to_round=None)
    with pytest.raises(Problem) as problem:
        move_head(video=video, by=owner, from_round=None, to_round=made.pk)
    assert problem.value.code == "empty_round"


def test_rounds_of_other_videos_do_not_exist_here(video: Video, owner: User) -> None:
    other = make_video(video.project, owner)
    add_object(video=other, author=owner)
    foreign = done(other, owner, None, [0])
    with pytest.raises(NotFound):
        move_head(video=video, by=owner, from_round=None, to_round=foreign.pk)
