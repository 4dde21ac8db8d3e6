"""Tests of edits and rounds that a worker carries out: which pixels of which frames change, and which do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from segmentation.types import MaskUpdate
from tests.webapp.annotation.test_edits import edit
from tests.webapp.conftest import FRAMES, HEIGHT, WIDTH, accept, draw, painted
from webapp.accounts.models import User
from webapp.annotation.absence import mark_absent
from webapp.annotation.codec import LabelMap
from webapp.annotation.head import head_of
from webapp.annotation.masks import masks_of
from webapp.annotation.models import Round, RoundState
from webapp.annotation.objects import add_object, update_object
from webapp.annotation.painting import paint_mask
from webapp.annotation.rounds import Reach, create_round
from webapp.annotation.state import round_info
from webapp.annotation.undo import move_head
from webapp.inference import work
from webapp.inference.work import work_on
from webapp.problems import Problem
from webapp.videos.models import Video

pytestmark = pytest.mark.django_db(transaction=True)  # The heartbeat thread uses another database connection.


@pytest.fixture(autouse=True)
def _silent(sent_tasks: list[Any]) -> None:
    """Record the tasks that these tests send, instead of sending them to a broker, which they do not have."""


def bar(x: int, width: int = 4) -> LabelMap:
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[4:12, x : x + width] = 1
    return labels


def paint(video: Video, by: User, frame: int, number: int, x: int) -> Round:
    return paint_mask(
        video=video, author=by, key=uuid4(), frame=frame, object_id=number, data=painted(bar(x)), over="all"
    )


def carry_out(video: Video, by: User, op: str, objects: list[int], **given: Any) -> Round:
    made = edit(video, by, op, objects, **given)
    assert work_on(made.pk)
    made.refresh_from_db()
    assert made.state == RoundState.DONE, made.error
    return made


def ids(video: Video) -> dict[int, list[int]]:
    """Return the values (object ids and 0) in the current mask of each frame, by frame."""
    return {mask.frame: np.unique(mask.labels).tolist() for mask in masks_of(video.pk, head_of(video.pk))}


@pytest.fixture
def two(video: Video, owner: User) -> Video:
    """Return a video whose objects 1 and 2 are painted side by side in the frames 0 to 3."""
    add_object(video=video, author=owner)
    for frame in range(4):
        paint(video, owner, frame, 1, 2)
        paint(video, owner, frame, 2, 12)
    return video


def test_clear_takes_an_object_away_except_from_accepted_frames(two: Video, owner: User) -> None:
    accept(two, owner, 1)
    before = head_of(two.pk)
    made = carry_out(two, owner, "clear", [1], first=0, last=2)
    assert ids(two) == {0: [0, 2], 1: [0, 1, 2], 2: [0, 2], 3: [0, 1, 2]}
    assert made.frames == [[0, 0], [2, 2]]
    move_head(video=two, by=owner, from_round=made.pk, to_round=before)
    assert ids(two)[0] == [0, 1, 2]


def test_merge_split_and_swap_rename_the_pixels(two: Video, owner: User) -> None:
    carry_out(two, owner, "swap", [1, 2], first=2, last=7)
    shown = {mask.frame: int(mask.labels[5, 3]) for mask in masks_of(two.pk, head_of(two.pk))}
    assert shown == {0: 1, 1: 1, 2: 2, 3: 2}
    carry_out(two, owner, "merge", [1], into=2, first=0, last=1)
    assert ids(two) == {0: [0, 2], 1: [0, 2], 2: [0, 1, 2], 3: [0, 1, 2]}
    add_object(video=two, author=owner)
    carry_out(two, owner, "split", [2], into=3, first=1, last=7)
    assert ids(two) == {0: [0, 2], 1: [0, 3], 2: [0, 1, 3], 3: [0, 1, 3]}


def test_copy_brings_a_mask_to_frames_without_one_and_spares_locked_objects(two: Video, owner: User) -> None:
    paint(two, owner, 5, 2, 2)
    update_object(video=two, number=2, locked=True)
    carry_out(two, owner, "copy", [1], source=0, first=4, last=5)
    masks = {mask.frame: mask.labels for mask in masks_of(two.pk, head_of(two.pk))}
    assert (masks[4] == bar(2)).all()
    assert (masks[5] == 2 * bar(2)).all(), "the locked object lies over the copy"


@pytest.mark.parametrize(("op", "into"), [("clear", None), ("merge", 2), ("copy", None)])
def test_an_edit_of_an_object_that_was_locked_meanwhile_changes_nothing_and_says_so(
    two: Video, owner: User, op: str, into: int | None
) -> None:
    """A person locks the object between the request of the edit and the worker's turn."""
    before = ids(two)
    made = edit(two, owner, op, [1], first=0, last=3, into=into, source=0 if op == "copy" else None)
    update_object(video=two, number=1, locked=True)
    assert work_on(made.pk)
    made.refresh_from_db()
    assert (made.state, made.error_code) == (RoundState.FAILED, "locked")
    assert made.error == "Nothing changed, because Fish was locked meanwhile. Unlock it, then edit again."
    assert ids(two) == before


@pytest.mark.parametrize("op", ["clear", "copy", "interpolate"])
def test_an_edit_stops_when_its_object_is_locked_and_leaves_no_frame_changed(
    two: Video, owner: User, op: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for frame in (2, 3):
        paint(two, owner, frame, 1, 18)
    before = [(mask.frame, mask.data) for mask in masks_of(two.pk, head_of(two.pk))]
    real = work.edited_masks

    def lock_after_first(round_: Round) -> Iterator[MaskUpdate]:
        masks = real(round_)
        yield next(masks)
        update_object(video=two, number=1, locked=True)
        yield from masks

    monkeypatch.setattr(work, "edited_masks", lock_after_first)
    made = edit(two, owner, op, [1], first=0, last=3, source=0 if op == "copy" else None)
    assert work_on(made.pk)
    made.refresh_from_db()
    assert (made.state, made.error_code) == (RoundState.FAILED, "locked")
    assert [(mask.frame, mask.data) for mask in masks_of(two.pk, head_of(two.pk))] == before


def test_an_edit_names_all_its_objects_that_were_locked(two: Video, owner: User) -> None:
    made = edit(two, owner, "swap", [1, 2], first=0, last=3)
    for number in (1, 2):
        update_object(video=two, number=number, locked=True)
    assert work_on(made.pk)
    made.refresh_from_db()
    wanted = "Nothing changed, because Fish, Object 2 were locked meanwhile. Unlock them, then edit again."
    assert made.error == wanted


def test_interpolate_moves_a_shape_between_two_painted_frames(video: Video, owner: User) -> None:
    paint(video, owner, 0, 1, 2)
    paint(video, owner, 4, 1, 18)
    carry_out(video, owner, "interpolate", [1], first=0, last=4)
    masks = {mask.frame: mask.labels for mask in masks_of(video.pk, head_of(video.pk))}
    assert [(masks[frame] == bar(2 + 4 * frame)).all() for frame in range(5)] == [True] * 5


@pytest.mark.parametrize(
    ("op", "objects", "given"),
    [
        ("copy", [1, 2], {"source": 0}),
        ("interpolate", [1, 2], {}),
        ("merge", [1], {"into": 2}),
        ("split", [1], {"into": 2}),
        ("split", [2], {"into": 1}),
        ("swap", [1, 2], {}),
    ],
)
def test_an_object_neither_gets_nor_gives_pixels_where_it_is_absent(
    two: Video, owner: User, op: str, objects: list[int], given: dict[str, Any]
) -> None:
    paint(two, owner, 1, 1, 6)
    paint(two, owner, 3, 1, 6)
    before = {mask.frame: mask.labels for mask in masks_of(two.pk, head_of(two.pk))}
    mark_absent(video=two, object_id=1, first=1, last=1, absent=True)
    carry_out(two, owner, op, objects, first=0, last=3, **given)
    after = {mask.frame: mask.labels for mask in masks_of(two.pk, head_of(two.pk))}
    np.testing.assert_array_equal(after[1] == 1, before[1] == 1)
    if op not in ("copy", "interpolate"):
        np.testing.assert_array_equal(after[1], before[1])
    assert any((after[frame] != before[frame]).any() for frame in (0, 2, 3))


def test_rounds_keep_what_was_painted_and_copied_to_the_pixel(video: Video, owner: User) -> None:
    add_object(video=video, author=owner)
    paint(video, owner, 3, 1, 7)
    carry_out(video, owner, "copy", [1], source=3, first=5, last=6)
    row = run_round(video, owner, [0], number=2)
    masks = {mask.frame: mask.labels for mask in masks_of(video.pk, row.pk)}
    assert len(masks) == FRAMES
    for frame in (3, 5, 6):
        assert ((masks[frame] == 1) == (bar(7) == 1)).all()


@pytest.mark.parametrize("number", [0, 2])
def test_a_scribble_that_was_drawn_before_a_painting_does_not_change_its_pixels(
    video: Video, owner: User, number: int
) -> None:
    """The scribble, of the background or of another object, runs over what is painted afterwards."""
    add_object(video=video, author=owner)
    drawn = draw(video, owner, 3, number)
    paint(video, owner, 3, 1, 2)
    paint(video, owner, 3, 2, 12)
    row = run_round(video, owner, [0], starts=[3])
    keeps = [mark.get("keeps") for mark in row.scribbles if mark["object_id"] == number]
    assert keeps == ([[1, 2]] if number == 0 else [[1]])
    (mask,) = [mask for mask in masks_of(video.pk, row.pk) if mask.frame == 3]
    assert ((mask.labels == 1) == (bar(2) == 1)).all()
    assert round_info(row).scribbles[0].object_id == drawn.object_id


def test_a_scribble_that_was_drawn_after_a_painting_changes_it(video: Video, owner: User) -> None:
    paint(video, owner, 3, 1, 2)
    draw(video, owner, 3, 0)
    row = run_round(video, owner, [], starts=[3])
    (mask,) = [mask for mask in masks_of(video.pk, row.pk) if mask.frame == 3]
    assert ((mask.labels == 1) != (bar(2) == 1)).any()


def run_round(
    video: Video,
    by: User,
    frames: list[int],
    number: int = 1,
    reach: Reach | None = None,
    starts: Sequence[int] = (),
) -> Round:
    for frame in frames:
        draw(video, by, frame, number)
    row = create_round(
        video=video,
        author=by,
        key=uuid4(),
        frames=[*frames, *starts],
        engine="fake",
        base=head_of(video.pk),
        reach=reach,
    )
    assert work_on(row.pk)
    row.refresh_from_db()
    assert row.state == RoundState.DONE, row.error
    return row


def test_a_round_stays_within_its_span_direction_and_objects(video: Video, owner: User) -> None:
    assert run_round(video, owner, [3], reach=Reach(span=(2, 5))).frames == [[2, 5]]
    row = run_round(video, owner, [4], reach=Reach(direction="forward"))
    assert (row.frames, row.progress_total) == ([[4, 7]], 4)
    assert run_round(video, owner, [1, 6]).frames == [[0, 7]]
    before = [mask.labels == 1 for mask in masks_of(video.pk, head_of(video.pk))]
    number = add_object(video=video, author=owner).number
    draw(video, owner, 2, 1)
    row = run_round(video, owner, [2], number=number, reach=Reach(objects=[number]))
    after = [mask.labels for mask in masks_of(video.pk, row.pk)]
    assert all(((labels == 1) == kept).all() for labels, kept in zip(after, before, strict=True))
    assert (after[2] == number).any()


def test_a_painted_mask_goes_through_the_video_without_a_scribble(video: Video, owner: User) -> None:
    paint(video, owner, 3, 1, 7)
    row = run_round(video, owner, [], reach=Reach(from_masks=True), starts=[3])
    assert (row.drawn, row.started_from) == ([3], [3])
    masks = {mask.frame: mask.labels for mask in masks_of(video.pk, row.pk)}
    assert len(masks) == FRAMES
    assert (masks[3] == bar(7)).all()


def test_a_round_that_starts_from_a_frame_without_an_object_is_refused(video: Video, owner: User) -> None:
    with pytest.raises(Problem) as problem:
        run_round(video, owner, [], reach=Reach(from_masks=True), starts=[3])
    assert problem.value.code == "no_mask"
    with pytest.raises(Problem) as problem:
        run_round(video, owner, [], starts=[3])
    assert problem.value.code == "no_scribbles"


def test_a_round_leaves_locked_and_absent_objects_alone(video: Video, owner: User) -> None:
    add_object(video=video, author=owner)
    run_round(video, owner, [0])
    before = [mask.labels == 1 for mask in masks_of(video.pk, head_of(video.pk))]
    update_object(video=video, number=1, locked=True)
    mark_absent(video=video, object_id=2, first=5, last=7, absent=True)
    row = run_round(video, owner, [1], number=2)
    after = [mask.labels for mask in masks_of(video.pk, row.pk)]
    assert all(((labels == 1) == kept).all() for labels, kept in zip(after, before, strict=True))
    assert not any((labels == 2).any() for labels in after[5:])
