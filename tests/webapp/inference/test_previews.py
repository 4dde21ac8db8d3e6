"""Tests of previews: a worker computes the mask that waiting scribbles would give a frame, and stores no mask.

Further tests are of clicks and boxes.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from tests.webapp.conftest import draw
from tests.webapp.inference.test_edits import bar, paint, run_round
from webapp.accounts.models import User
from webapp.annotation.codec import TYPE_PREVIEW, PackedMask, decode, unpack
from webapp.annotation.masks import mask_at
from webapp.annotation.models import Mask, Preview, Round
from webapp.annotation.previews import NOTHING, ask_preview, take_preview, waiting_previews
from webapp.annotation.rounds import create_round
from webapp.annotation.scribbles import add_scribble
from webapp.inference import previews
from webapp.inference.previews import answer_waiting
from webapp.inference.work import work_on
from webapp.problems import Problem
from webapp.videos.models import Video

pytestmark = pytest.mark.django_db(transaction=True)  # The heartbeat thread uses another database connection.


@pytest.fixture(autouse=True)
def _silent(sent_tasks: list[Any]) -> None:
    """Record the tasks that these tests send, instead of sending them to a broker, which they do not have."""


def ask(video: Video, by: User, frame: int = 3, click: dict[str, Any] | None = None) -> int:
    return ask_preview(video=video, author=by, frame=frame, engine="fake", click=click)


def shown(preview_id: int) -> PackedMask:
    data = take_preview(preview_id)
    assert data is not None
    assert data[1] == TYPE_PREVIEW
    (mask,) = unpack(data)
    return mask


def test_a_preview_is_what_a_round_gives_the_drawn_frame_and_leaves_nothing(video: Video, owner: User) -> None:
    first = run_round(video, owner, [0])
    draw(video, owner, 3)
    before = Mask.objects.count()
    asked = ask(video, owner)
    assert take_preview(asked) is None
    answer_waiting()
    mask = shown(asked)
    assert (mask.seq, mask.round, mask.frame) == (0, 0, 3)
    assert (Mask.objects.count(), Preview.objects.count(), Round.objects.count()) == (before, 0, 1)
    row = run_round_of_waiting(video, owner, first.pk)
    there = mask_at(video.pk, row.pk, 3)
    assert there is not None
    np.testing.assert_array_equal(decode(mask.data), there.labels)


def run_round_of_waiting(video: Video, by: User, base: int) -> Round:
    row = create_round(video=video, author=by, key=uuid4(), frames=[3], engine="fake", base=base)
    assert work_on(row.pk)
    return row


def test_a_preview_keeps_what_was_painted_after_a_waiting_scribble(video: Video, owner: User) -> None:
    draw(video, owner, 3, 0)
    paint(video, owner, 3, 1, 2)
    asked = ask(video, owner)
    answer_waiting()
    assert ((decode(shown(asked).data) == 1) == (bar(2) == 1)).all()


def test_a_click_that_is_not_stored_counts(video: Video, owner: User) -> None:
    asked = ask(video, owner, click={"object": 1, "point": [0.5, 0.5], "positive": True})
    answer_waiting()
    assert (decode(shown(asked).data) == 1).any()


def test_there_is_nothing_to_show_without_a_prompt_or_while_a_round_waits(video: Video, owner: User) -> None:
    asked = ask(video, owner)
    answer_waiting()
    assert take_preview(asked) == NOTHING
    draw(video, owner, 0)
    create_round(video=video, author=owner, key=uuid4(), frames=[0], engine="fake", base=None)
    draw(video, owner, 3)
    asked = ask(video, owner)
    answer_waiting()
    assert take_preview(asked) == NOTHING


def test_only_the_newest_preview_of_a_person_is_computed(video: Video, owner: User, annotator: User) -> None:
    old = ask(video, owner)
    other, new = ask(video, annotator), ask(video, owner)
    assert waiting_previews() == [other, new]
    assert take_preview(old) == NOTHING


def test_a_preview_that_nobody_waits_for_any_more_is_left_out(video: Video, owner: User) -> None:
    asked = ask(video, owner)
    Preview.objects.all().delete()
    assert previews.answer(asked) is None


def test_an_engine_that_fails_shows_nothing(video: Video, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(video, owner, 3)
    asked = ask(video, owner)
    monkeypatch.setattr(previews.runner, "session_at", lambda *_: 1 / 0)
    answer_waiting()
    assert take_preview(asked) == NOTHING


def test_a_frame_outside_of_the_video_is_refused(video: Video, owner: User) -> None:
    with pytest.raises(Problem) as problem:
        ask(video, owner, frame=8)
    assert problem.value.code == "bad_frame"


def test_clicks_and_boxes_are_prompts_of_a_round(video: Video, owner: User) -> None:
    for kind, path in (("click", [[0.5, 0.5]]), ("box", [[0.2, 0.8], [0.7, 0.1]])):
        add_scribble(video=video, author=owner, key=uuid4(), frame=3, object_id=1, path=path, kind=kind)
    row = create_round(video=video, author=owner, key=uuid4(), frames=[3], engine="fake", base=None)
    (interaction,) = previews.runner.interactions_of(row)
    assert [click.point for click in interaction.clicks] == [(0.5, 0.5)]
    assert [box.corners for box in interaction.boxes] == [(0.2, 0.1, 0.7, 0.8)]


@pytest.mark.parametrize(
    ("kind", "path", "positive", "code"),
    [
        ("click", [[0.1, 0.1], [0.2, 0.2]], True, "bad_click"),
        ("box", [[0.1, 0.1]], True, "bad_box"),
        ("box", [[0.1, 0.1], [0.1, 0.5]], True, "bad_box"),
        ("box", [[0.1, 0.1], [0.4, 0.5]], False, "bad_box"),
    ],
)
def test_a_click_or_box_that_is_none_is_refused(
    video: Video, owner: User, kind: str, path: list[list[float]], positive: bool, code: str
) -> None:
    with pytest.raises(Problem) as problem:
        add_scribble(
            video=video, author=owner, key=uuid4(), frame=3, object_id=1, path=path, kind=kind, positive=positive
        )
    assert problem.value.code == code
