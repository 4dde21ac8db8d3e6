"""Tests of painted masks: each is a version of one object in one frame, and replaces or spares other objects there."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from uuid import UUID, uuid4

import numpy as np
import pytest

from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import HEIGHT, WIDTH, accept, draw, painted, run
from webapp.accounts.models import User
from webapp.annotation.claims import NewMask, claim, finish, new_mask, store
from webapp.annotation.codec import LabelMap
from webapp.annotation.head import head_of
from webapp.annotation.masks import line_of, mask_at
from webapp.annotation.models import Mask, Object, Origin, Round
from webapp.annotation.objects import add_object, update_object
from webapp.annotation.painting import paint_mask
from webapp.annotation.rounds import cancel_round
from webapp.annotation.scribbles import waiting
from webapp.annotation.state import last_mask, round_info
from webapp.annotation.undo import move_head
from webapp.problems import Problem
from webapp.videos.models import Video


def square(x: int, size: int = 6) -> LabelMap:
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[4 : 4 + size, x : x + size] = 1
    return labels


def paint(
    video: Video,
    by: User,
    labels: LabelMap,
    object_id: int = 1,
    frame: int = 0,
    over: str = "all",
    scribbles: Sequence[UUID] = (),
) -> Round:
    return paint_mask(
        video=video,
        author=by,
        key=uuid4(),
        frame=frame,
        object_id=object_id,
        data=painted(labels),
        over=over,  # type: ignore[arg-type]
        scribbles=scribbles,
    )


def shown(video: Video, frame: int = 0) -> LabelMap:
    mask = mask_at(video.pk, head_of(video.pk), frame)
    assert mask is not None
    return mask.labels


def test_a_painted_mask_is_a_version_that_can_be_undone(video: Video, owner: User) -> None:
    base = done(video, owner, None, [0, 1])
    before = shown(video)
    made = paint(video, owner, square(3))
    info = round_info(made)
    assert (info.origin, info.state, info.drawn, info.objects, info.frames) == ("painted", "done", [0], [1], [(0, 0)])
    assert head_of(video.pk) == made.pk
    assert (shown(video) == square(3)).all()
    move_head(video=video, by=owner, from_round=made.pk, to_round=base.pk)
    assert (shown(video) == before).all()
    move_head(video=video, by=owner, from_round=base.pk, to_round=made.pk)
    assert (shown(video) == square(3)).all()


def test_a_painting_takes_the_shown_scribbles_of_its_object_along_and_gives_them_back_when_it_is_undone(
    video: Video, owner: User
) -> None:
    add_object(video=video, author=owner)
    scribbles = [draw(video, owner, frame, number) for frame, number in ((0, 1), (0, 2), (1, 1), (0, 1))]
    drawn = [scribble.pk for scribble in scribbles]

    def waits() -> list[int]:
        return [scribble.pk for scribble in waiting(video, owner, [0, 1])]

    made = paint(video, owner, square(3), scribbles=[scribble.key for scribble in scribbles[:3]])
    assert waits() == drawn[1:], "the last one was not shown"
    move_head(video=video, by=owner, from_round=made.pk, to_round=None)
    assert waits() == drawn
    later = draw(video, owner)
    move_head(video=video, by=owner, from_round=None, to_round=made.pk)
    assert waits() == [*drawn[1:], later.pk]


def test_scribbles_that_no_preview_showed_go_on_waiting_for_a_round(video: Video, owner: User) -> None:
    drawn = draw(video, owner)
    made = paint(video, owner, square(3))
    assert waiting(video, owner, [0]) == [drawn]
    move_head(video=video, by=owner, from_round=made.pk, to_round=None)
    move_head(video=video, by=owner, from_round=None, to_round=made.pk)
    assert waiting(video, owner, [0]) == [drawn]


def test_nobody_takes_the_scribble_of_somebody_else_along(video: Video, owner: User, annotator: User) -> None:
    drawn = draw(video, owner)
    paint(video, annotator, square(3), scribbles=[drawn.key])
    assert waiting(video, owner, [0]) == [drawn]


def test_a_first_mask_can_be_painted_before_any_round(video: Video, owner: User) -> None:
    paint(video, owner, square(3))
    assert (shown(video) == square(3)).all()
    paint(video, owner, np.zeros((HEIGHT, WIDTH), np.uint8))
    assert not shown(video).any()


@pytest.mark.parametrize(("over", "expected"), [("none", (2, 3)), ("unlocked", (1, 3)), ("all", (1, 1))])
def test_other_objects_give_way_or_are_protected(
    video: Video, owner: User, over: str, expected: tuple[int, int]
) -> None:
    for number in (2, 3):
        add_object(video=video, author=owner)
        paint(video, owner, square(4 * number - 5, 4), object_id=number)
    update_object(video=video, number=3, locked=True)
    paint(video, owner, square(3, 8), over=over)
    found = shown(video)
    assert (found[4, 3], found[4, 7]) == expected
    assert found[11, 3] == 1, "where nothing else was"


def test_two_people_paint_different_objects_of_one_frame_at_once(video: Video, owner: User, annotator: User) -> None:
    add_object(video=video, author=owner)
    paint(video, owner, square(3))
    paint(video, annotator, square(15), object_id=2)
    found = shown(video)
    assert ((found == 1) == (square(3) == 1)).all()
    assert ((found == 2) == (square(15) == 1)).all()


def test_a_mask_is_painted_while_a_round_runs_and_does_not_stop_it(video: Video, owner: User) -> None:
    running = run(video, owner, None)
    claimed = claim(running.pk, "worker")
    assert claimed is not None
    store(claimed, [some(0, 2)])
    made = paint(video, owner, square(3), frame=1)
    assert store(claimed, [some(1, 2), some(2, 2)]), "the round goes on"
    finish(claimed, complete=True)
    assert line_of(head_of(video.pk)) == [running.pk, made.pk]
    assert (shown(video, 1) == square(3)).all(), "the painted mask stays although the round stored its own later"
    assert last_mask(video.pk) == Mask.objects.latest("pk").pk


def test_a_painted_mask_stays_when_the_round_below_it_ends_without_masks(video: Video, owner: User) -> None:
    waits = run(video, owner, None)
    made = paint(video, owner, square(3))
    cancel_round(video=video, by=owner, round_id=waits.pk, may_stop_others=False)
    assert line_of(head_of(video.pk)) == [made.pk]
    assert (shown(video) == square(3)).all()


def some(frame: int, label: int) -> NewMask:
    return new_mask(frame, np.full((HEIGHT, WIDTH), label, np.uint8), [0.5], None)


def test_a_locked_or_deleted_object_and_an_accepted_frame_are_not_painted(video: Video, owner: User) -> None:
    Object.objects.filter(video=video, number=1).update(locked=True)
    assert refusal(video, owner) == ("locked", "Fish is locked. Unlock it first.")
    Object.objects.filter(video=video, number=1).update(locked=False)
    update_object(video=video, number=1, deleted=True)
    assert refusal(video, owner)[0] == "no_object"
    update_object(video=video, number=1, deleted=False)
    done(video, owner, None, [0])
    accept(video, owner, 0)
    assert refusal(video, owner) == ("accepted", "Frame 0 is accepted. Release it, then paint.")
    assert not Round.objects.filter(origin=Origin.PAINTED).exists()


def refusal(video: Video, by: User) -> tuple[str, str]:
    with pytest.raises(Problem) as problem:
        paint(video, by, square(3))
    return problem.value.code, problem.value.text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("no base64!", "cannot be read"),
        ("\u00d7", "cannot be read"),
        (base64.b64encode(b"\x09").decode(), "cannot be read: format: expected 1"),
        ("", "cannot be read"),
        (painted(np.zeros((HEIGHT, WIDTH + 1), np.uint8)), "33 x 24 pixels, the video 32 x 24"),
        (painted(np.full((HEIGHT, WIDTH), 2, np.uint8)), "the value 2"),
    ],
)
def test_a_mask_that_is_none_is_refused(video: Video, owner: User, data: str, text: str) -> None:
    with pytest.raises(Problem, match=text) as problem:
        paint_mask(video=video, author=owner, key=uuid4(), frame=0, object_id=1, data=data, over="none")
    assert problem.value.code == "bad_mask"
    assert head_of(video.pk) is None


def test_a_frame_outside_of_the_video_is_not_painted(video: Video, owner: User) -> None:
    with pytest.raises(Problem) as problem:
        paint(video, owner, square(3), frame=8)
    assert problem.value.code == "bad_frame"
