"""Tests that a worker computes features around the frame of a preview ahead, and stops when somebody waits."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.segmentation.fake_engine import FakeEngine
from tests.webapp.conftest import draw
from tests.webapp.inference.test_previews import ask, shown
from webapp.accounts.models import User
from webapp.annotation.previews import NOTHING, take_preview
from webapp.annotation.rounds import create_round
from webapp.inference import previews
from webapp.inference.previews import answer_waiting
from webapp.inference.work import sessions
from webapp.videos.models import Video

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _silent(sent_tasks: list[Any]) -> None:
    """Record the tasks that these tests send, instead of sending them to a broker, which they do not have."""


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets each frame whose features the fake engine is to compute ahead. It computes none."""
    frames: list[int] = []
    monkeypatch.setattr(FakeEngine, "_prepare_frame", lambda self, frame: frames.append(frame))
    return frames


def test_after_a_preview_the_nearest_frames_are_prepared_first(
    video: Video, owner: User, prepared: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previews, "FRAMES", 2)
    draw(video, owner, 3)
    ask(video, owner)
    answer_waiting()
    assert prepared == [3, 2, 4, 1, 5]


def test_where_a_stroke_begins_the_frame_alone_is_prepared_and_the_session_kept(
    video: Video, owner: User, prepared: list[int]
) -> None:
    asked = ask(video, owner)
    answer_waiting()
    assert (take_preview(asked), prepared) == (NOTHING, [3])
    assert video.pk in [key.video_id for key in sessions._sessions]


def test_frames_are_prepared_only_until_somebody_waits(
    video: Video, owner: User, prepared: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(video, owner, 3)
    ask(video, owner)

    def prepare(self: FakeEngine, frame: int) -> None:
        prepared.append(frame)
        if len(prepared) == 2:
            create_round(video=video, author=owner, key=uuid4(), frames=[3], engine="fake", base=None)

    monkeypatch.setattr(FakeEngine, "_prepare_frame", prepare)
    answer_waiting()
    assert prepared == [3, 2]


def test_an_engine_that_cannot_prepare_a_frame_still_answers(
    video: Video, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeEngine, "_prepare_frame", lambda self, frame: 1 / 0)
    draw(video, owner, 3)
    asked = ask(video, owner)
    answer_waiting()
    assert shown(asked).frame == 3
