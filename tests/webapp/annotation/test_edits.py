"""Tests of edits of a span: which are refused, and that edits and rounds wait for each other.

A further test is of a round that was drawn on several frames.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import accept, draw, run, some_mask
from webapp.accounts.models import User
from webapp.annotation.absence import mark_absent
from webapp.annotation.accepted_objects import accept_object
from webapp.annotation.claims import claim, finish, store
from webapp.annotation.edits import Edit, create_edit
from webapp.annotation.head import head_of
from webapp.annotation.masks import line_of
from webapp.annotation.models import Round, RoundState, Scribble
from webapp.annotation.objects import add_object, update_object
from webapp.annotation.rounds import create_round
from webapp.annotation.state import last_mask, round_info
from webapp.problems import Problem
from webapp.videos.models import Video


def edit(video: Video, by: User, op: Any, objects: list[int], **given: Any) -> Round:
    fields = {"first": 0, "last": 3, **given}
    return create_edit(video=video, author=by, key=uuid4(), edit=Edit(op, objects, **fields))


def test_an_edit_is_a_version_that_waits(video: Video, owner: User) -> None:
    base = done(video, owner, None, [0, 1])
    made = edit(video, owner, "clear", [1])
    info = round_info(made)
    assert (info.origin, info.state, info.span, info.objects, info.drawn) == ("edited", "queued", (0, 3), [1], [0, 3])
    assert info.edit is not None
    assert (info.edit.op, info.edit.first, info.edit.last) == ("clear", 0, 3)
    assert line_of(head_of(video.pk)) == [base.pk, made.pk]


@pytest.mark.parametrize(
    ("op", "objects", "given", "code"),
    [
        ("clear", [9], {}, "no_object"),
        ("clear", [2], {}, "locked"),
        ("clear", [1], {"first": 3, "last": 1}, "bad_span"),
        ("clear", [1], {"last": 8}, "bad_frame"),
        ("copy", [1], {}, "bad_edit"),
        ("copy", [1], {"source": 5}, "no_mask"),
        ("copy", [3], {"source": 0}, "no_mask"),
        ("copy", [1], {"source": 8}, "bad_frame"),
        ("merge", [1], {}, "bad_edit"),
        ("merge", [1], {"into": 2}, "locked"),
        ("merge", [1, 3], {"into": 1}, "bad_edit"),
        ("clear", [1], {"first": 0, "last": 1}, "accepted"),
        ("interpolate", [1], {"first": 0, "last": 2}, "accepted"),
        ("swap", [1, 1], {}, "bad_edit"),
        ("swap", [1, 2, 3], {}, "bad_edit"),
        ("split", [1], {"into": 1}, "bad_edit"),
        ("split", [1, 3], {"into": 3}, "bad_edit"),
        ("interpolate", [1], {"last": 1}, "bad_edit"),
        ("interpolate", [1], {"last": 5}, "no_mask"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused_and_changes_nothing(
    video: Video, owner: User, op: str, objects: list[int], given: dict[str, Any], code: str
) -> None:
    for _ in range(2):
        add_object(video=video, author=owner)
    update_object(video=video, number=2, locked=True)
    base = done(video, owner, None, [0, 1])
    accept(video, owner, 0, 1)
    with pytest.raises(Problem) as problem:
        edit(video, owner, op, objects, **given)
    assert problem.value.code == code
    assert head_of(video.pk) == base.pk


def test_an_edit_is_refused_where_an_object_that_it_changes_is_accepted_in_every_frame(
    video: Video, owner: User
) -> None:
    add_object(video=video, author=owner)
    base = done(video, owner, None, [0, 1, 2])
    accept(video, owner, 0, 0)
    accept_object(
        video=video,
        by=owner,
        number=1,
        first=1,
        last=1,
        head=base.pk,
        seen=last_mask(video.pk),
        may_accept_others=True,
    )
    for op, objects, given in (("clear", [1], {}), ("merge", [2], {"into": 1}), ("clear", [1], {"first": 1})):
        with pytest.raises(Problem, match="an object that would change is accepted"):
            edit(video, owner, op, objects, **{"last": 1, **given})
    assert edit(video, owner, "clear", [2], last=1)
    assert edit(video, owner, "clear", [1], last=2)


@pytest.mark.parametrize(
    ("op", "objects", "given"),
    [
        ("copy", [1], {"source": 0}),
        ("merge", [1], {"into": 2}),
        ("merge", [2], {"into": 1}),
        ("split", [2], {"into": 1}),
        ("swap", [1, 2], {}),
    ],
)
def test_an_edit_is_refused_where_its_object_is_absent_in_every_frame(
    video: Video, owner: User, op: str, objects: list[int], given: dict[str, Any]
) -> None:
    add_object(video=video, author=owner)
    base = done(video, owner, None, [0, 1, 2, 3])
    mark_absent(video=video, object_id=1, first=1, last=3, absent=True)
    with pytest.raises(Problem, match="Fish is marked absent from frame 1 to 3") as problem:
        edit(video, owner, op, objects, first=1, **given)
    assert problem.value.code == "absent"
    assert head_of(video.pk) == base.pk
    assert edit(video, owner, "clear", [1], first=1)
    assert edit(video, owner, op, objects, **given)


def test_a_mask_that_is_hidden_because_its_object_is_absent_is_not_copied(video: Video, owner: User) -> None:
    done(video, owner, None, [0, 1, 2, 3])
    mark_absent(video=video, object_id=1, first=0, last=0, absent=True)
    for op, given in (("copy", {"source": 0}), ("interpolate", {})):
        with pytest.raises(Problem, match="Frame 0 has no mask of object 1"):
            edit(video, owner, op, [1], **given)


def test_a_round_runs_after_the_edit_that_it_builds_on(video: Video, owner: User) -> None:
    first = run(video, owner, None)
    running = claim(first.pk, "worker")
    assert running is not None
    edited = edit(video, owner, "clear", [1])
    last = run(video, owner, edited.pk, frame=2)
    edited.refresh_from_db()
    assert edited.state == RoundState.QUEUED, "an edit is never superseded"
    assert claim(last.pk, "worker") is None
    assert claim(edited.pk, "worker") is None
    assert not store(running, [some_mask(0)]), "the round makes way for the newer one"
    finish(running, complete=False)
    assert claim(last.pk, "worker") is None, "the edit is older"
    claimed = claim(edited.pk, "worker")
    assert claimed is not None
    finish(claimed, complete=True)
    assert claim(last.pk, "worker") is not None
    assert line_of(head_of(video.pk)) == [first.pk, edited.pk, last.pk]


def test_scribbles_of_a_round_that_waits_below_an_edit_wait_again_when_it_is_superseded(
    video: Video, owner: User
) -> None:
    first = run(video, owner, None)
    edited = edit(video, owner, "clear", [1])
    first.refresh_from_db()
    assert first.state == RoundState.QUEUED, "an edit supersedes no round"
    last = run(video, owner, edited.pk, frame=2)
    assert line_of(head_of(video.pk)) == [edited.pk, last.pk]
    assert list(Scribble.objects.filter(round=None).values_list("frame", flat=True)) == [0]
    first.refresh_from_db()
    assert first.state == RoundState.SUPERSEDED


def test_several_drawn_frames_are_one_round(video: Video, owner: User) -> None:
    for frame in (5, 1, 3):
        draw(video, owner, frame)
    made = create_round(video=video, author=owner, key=uuid4(), frames=[1, 3, 5], engine="fake", base=None)
    assert (made.frame, made.drawn) == (1, [1, 3, 5])
    assert not Scribble.objects.filter(round=None).exists()
