"""Tests of which paintings a waiting scribble may not change: those of its frame that were made after it was drawn."""

from __future__ import annotations

import numpy as np

from tests.webapp.annotation.test_edits import edit
from tests.webapp.annotation.test_painting import paint, square
from tests.webapp.conftest import draw
from webapp.accounts.models import User
from webapp.annotation.models import Head, Scribble
from webapp.annotation.objects import add_object
from webapp.annotation.painted_later import painted_later
from webapp.annotation.undo import move_head
from webapp.videos.models import Video


def kept(video: Video, *drawn: Scribble) -> list[list[int]]:
    found = painted_later(Head.objects.get(video=video), drawn)
    return [found.get(scribble.pk, []) for scribble in drawn]


def test_a_scribble_keeps_what_was_painted_in_its_frame_after_it(video: Video, owner: User) -> None:
    add_object(video=video, author=owner)
    paint(video, owner, square(3))
    background, other, own = (draw(video, owner, 0, number) for number in (0, 2, 1))
    paint(video, owner, square(12), object_id=2, frame=1)
    assert kept(video, background, other, own) == [[], [], []]
    paint(video, owner, square(3))
    later = draw(video, owner, 0, 0)
    paint(video, owner, square(12), object_id=2)
    assert kept(video, background, other, own, later) == [[1, 2], [1], [2], [2]]


def test_what_was_undone_is_not_kept_until_it_is_brought_back(video: Video, owner: User) -> None:
    drawn = draw(video, owner, 0, 0)
    made = paint(video, owner, square(3))
    move_head(video=video, by=owner, from_round=made.pk, to_round=None)
    assert kept(video, drawn) == [[]]
    move_head(video=video, by=owner, from_round=None, to_round=made.pk)
    assert kept(video, drawn) == [[1]]


def test_a_mask_that_was_copied_to_the_frame_is_kept(video: Video, owner: User) -> None:
    paint(video, owner, square(3), frame=1)
    drawn = [draw(video, owner, frame, 0) for frame in (3, 6)]
    edit(video, owner, "copy", [1], first=2, last=5, source=1)
    assert kept(video, *drawn) == [[1], []]


def test_an_interpolation_paints_only_between_its_frames(video: Video, owner: User) -> None:
    for frame in (2, 5):
        paint(video, owner, square(3), frame=frame)
    drawn = [draw(video, owner, frame, 0) for frame in (2, 3, 4, 5)]
    edit(video, owner, "interpolate", [1], first=2, last=5)
    assert kept(video, *drawn) == [[], [1], [1], []]


def test_a_scribble_from_before_this_was_noted_keeps_nothing(video: Video, owner: User) -> None:
    drawn = draw(video, owner, 0, 0)
    Scribble.objects.update(next_number=None)
    drawn.refresh_from_db()
    paint(video, owner, np.zeros_like(square(3)))
    assert kept(video, drawn) == [[]]
