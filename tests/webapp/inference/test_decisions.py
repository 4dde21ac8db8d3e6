"""Tests that an object that was accepted singly keeps its pixels in rounds, edits and imports."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.webapp.annotation.test_accepted_objects import accept as accept_object
from tests.webapp.annotation.test_accepted_objects import release as release_object
from tests.webapp.conftest import accept
from tests.webapp.inference.test_edits import carry_out, paint
from tests.webapp.inference.test_work import after, labels, make, opened
from webapp.accounts.models import User
from webapp.annotation.accepted import release_frames
from webapp.annotation.head import head_of
from webapp.annotation.imports.placing import _merged
from webapp.annotation.objects import add_object
from webapp.annotation.state import last_mask
from webapp.annotation.to_fix import frames_to_fix
from webapp.inference.work import work_on
from webapp.videos.models import Video

pytestmark = pytest.mark.django_db(transaction=True)  # The heartbeat thread uses another database connection.
__all__ = ["opened"]


@pytest.fixture(autouse=True)
def _silent(sent_tasks: list[Any]) -> None:
    """Record the tasks that these tests send, instead of sending them to a broker, which they do not have."""


def test_rounds_keep_an_accepted_object_until_it_is_released(video: Video, owner: User, opened: list[Any]) -> None:
    first = make(video, owner, None)
    work_on(first.pk)
    accept_object(video, owner, 2, 3)
    before = labels(video, first.pk)
    accept(video, owner, 3)  # The whole frame, for a while.
    second = make(video, owner, first.pk, frame=6)
    work_on(second.pk)
    release_frames(video=video, by=owner, first=3, last=3, seen=last_mask(video.pk), may_accept_others=True)
    paint(video, owner, 5, 1, 20)  # A painted mask is a version, too.
    third = make(video, owner, head_of(video.pk), frame=6)
    work_on(third.pk)
    assert (after(third).state, len(opened)) == ("done", 1)
    for frame in (2, 3):
        np.testing.assert_array_equal(labels(video, third.pk)[frame] == 1, before[frame] == 1)
    assert (labels(video, third.pk)[4] != before[4]).any()
    assert release_object(video, owner, 2, 2) == 1
    fourth = make(video, owner, third.pk, frame=7)
    work_on(fourth.pk)
    assert [(labels(video, fourth.pk)[frame] != before[frame]).any() for frame in (2, 3)] == [True, False]


def test_edits_and_imports_keep_an_accepted_object(video: Video, owner: User) -> None:
    add_object(video=video, author=owner)
    for frame in range(3):
        paint(video, owner, frame, 1, 2)
        paint(video, owner, frame, 2, 12)
    accept_object(video, owner, 1, 1)
    carry_out(video, owner, "clear", [1], first=0, last=2)
    assert [(mask == 1).any() for mask in labels(video, head_of(video.pk))] == [False, True, False]
    assert frames_to_fix(video.pk) == {2}
    accept_object(video, owner, 2, 2)  # It is right that the object is not there.
    assert frames_to_fix(video.pk) == set()
    kept = labels(video, head_of(video.pk))[1]
    carry_out(video, owner, "copy", [2], first=1, last=1, source=0)
    np.testing.assert_array_equal(labels(video, head_of(video.pk))[1] == 1, kept == 1)
    new = np.full_like(kept, 2)
    new[0] = 1
    merged = _merged(new, kept, [2], [1])
    np.testing.assert_array_equal(merged == 1, kept == 1)
    assert (merged[kept != 1][new[kept != 1] == 2] == 2).all()
