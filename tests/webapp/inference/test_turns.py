"""Tests of a worker that computes rounds by turns. Here it looks for waiting work after each frame, and a turn is one
frame long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.models.functions import Now

from segmentation.types import Interaction, MaskUpdate
from tests.segmentation.fake_engine import FakeEngine
from tests.webapp.conftest import FRAMES, draw, make_video, run
from tests.webapp.inference.conftest import write_frames
from webapp.accounts.models import User
from webapp.annotation.claims import ROUNDS
from webapp.annotation.masks import masks_of
from webapp.annotation.models import Mask, Preview, Round
from webapp.annotation.objects import add_object
from webapp.annotation.previews import ask_preview
from webapp.annotation.rounds import cancel_round
from webapp.inference import order, turns, work
from webapp.inference.models import Worker
from webapp.inference.turns import work_in_turns
from webapp.projects.models import Project
from webapp.storage.failure import StorageAway
from webapp.videos.models import Video

pytestmark = pytest.mark.django_db(transaction=True)  # The heartbeat threads use other database connections.

Acts = dict[int, Callable[[], Any]]


@pytest.fixture
def acts(monkeypatch: pytest.MonkeyPatch, sent_tasks: list[Any]) -> Acts:
    """Return an empty dictionary for functions: the fake engine calls the function stored under n before it yields its
    nth frame (from 1).

    All intervals of the worker are set to 0. The frames of all rounds and previews are counted together.
    """
    made: Acts = {}
    real, count = FakeEngine._run, iter(range(1, 1000))

    def run(self: FakeEngine, interaction: Interaction) -> Iterator[MaskUpdate]:
        for update in real(self, interaction):
            made.pop(next(count), lambda: None)()
            yield update

    monkeypatch.setattr(FakeEngine, "_run", run)
    monkeypatch.setattr(turns, "TURN_SECONDS", 0)
    monkeypatch.setattr(turns, "GLANCE_SECONDS", 0)
    monkeypatch.setattr(turns, "LOOK_SECONDS", 0)
    monkeypatch.setattr(work, "BATCH_SECONDS", 0)
    return made


@pytest.fixture
def elsewhere(video: Video, owner: User) -> Video:
    """Return a video with one object in another project."""
    made = make_video(Project.objects.create(name="Kelp", created_by=owner), owner)
    add_object(video=made, author=owner, name="Crab")
    write_frames(made)
    return made


def stored() -> list[int]:
    """Return the round of each stored mask, in the order in which they were stored."""
    return list(Mask.objects.order_by("pk").values_list("round_id", flat=True))


def states() -> list[tuple[str, int]]:
    return list(Round.objects.order_by("pk").values_list("state", "attempts"))


def test_a_first_mask_waits_for_one_frame_of_another_project_and_nothing_is_computed_twice(
    video: Video, elsewhere: Video, owner: User, acts: Acts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LOOK_SECONDS", 3600)  # A glance shows that the round has come.
    long = run(video, owner, None)
    acts[3] = lambda: run(elsewhere, owner, None)
    assert work_in_turns(long.pk)
    short = Round.objects.get(video=elsewhere)
    both = [short.pk, long.pk]
    assert stored() == [long.pk] * 3 + both * (FRAMES - 3) + [short.pk] * 3
    assert states() == [("done", 1)] * 2
    first, second = ([mask.data for mask in masks_of(row.video_id, row.pk)] for row in (long, short))
    assert first == second, "the same scribble gives the same masks"


def test_a_preview_is_answered_between_two_frames(video: Video, elsewhere: Video, owner: User, acts: Acts) -> None:
    draw(elsewhere, owner, 2)
    long, seen = run(video, owner, None), []
    acts[2] = lambda: ask_preview(video=elsewhere, author=owner, frame=2, engine="fake", click=None)
    # The engine computes the preview as its third frame.
    acts[4] = lambda: seen.append(Preview.objects.exclude(data=None).count())
    work_in_turns(long.pk)
    assert seen == [1]


@pytest.mark.parametrize(("waited_long", "short"), [(False, ("queued", 0)), (True, ("done", 1))])
def test_a_round_is_left_to_an_idle_worker_for_a_while(
    video: Video,
    elsewhere: Video,
    owner: User,
    acts: Acts,
    monkeypatch: pytest.MonkeyPatch,
    waited_long: bool,
    short: tuple[str, int],
) -> None:
    assert timedelta(0) < order.LEFT_TO_THE_IDLE <= timedelta(seconds=1)
    # A busy machine may need longer than a second.
    monkeypatch.setattr(order, "LEFT_TO_THE_IDLE", timedelta(0) if waited_long else timedelta(hours=1))
    Worker.objects.create(name="gpu-1:77", pid=77, device="cuda:0", heartbeat=Now() + timedelta(hours=1))
    long = run(video, owner, None)
    acts[2] = lambda: run(elsewhere, owner, None)
    work_in_turns(long.pk)
    assert states() == [("done", 1), short]


def test_no_further_round_is_begun_without_room_for_its_session(
    video: Video, elsewhere: Video, owner: User, acts: Acts, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert turns.most_open() == 3
    monkeypatch.setattr(turns, "most_open", lambda: 1)
    long = run(video, owner, None)
    acts[2] = lambda: run(elsewhere, owner, None)
    work_in_turns(long.pk)
    assert states() == [("done", 1), ("queued", 0)]


def test_sessions_that_previews_open_meanwhile_leave_room_for_those_of_the_rounds(
    video: Video, elsewhere: Video, owner: User, acts: Acts, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(elsewhere, owner, 2)
    long = run(video, owner, None)
    size = work.runner.engine_settings().memory_bytes  # The fake engine says that its session needs all of this.
    monkeypatch.setattr(work.sessions, "limit", 3 * size // 2)
    acts[2] = lambda: ask_preview(video=elsewhere, author=owner, frame=2, engine="fake", click=None)
    seen: list[int] = []
    acts[5] = lambda: seen.append(work.sessions.nbytes)
    work_in_turns(long.pk)
    assert seen == [size]


@pytest.mark.parametrize("end", ["cancelled", "failed", "not stored"])
def test_a_round_that_ends_early_leaves_the_other_one_alone(
    video: Video, elsewhere: Video, owner: User, acts: Acts, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    def stop() -> None:
        if end == "cancelled":
            cancel_round(video=elsewhere, by=owner, round_id=Round.objects.latest("pk").pk, may_stop_others=True)
        elif end == "failed":
            raise ZeroDivisionError
        else:
            raise DatabaseError("locked")

    long = run(video, owner, None)
    acts[2] = lambda: run(elsewhere, owner, None)
    acts[5] = stop  # This is the second frame of the other round.
    if end == "not stored":
        with pytest.raises(DatabaseError, match="locked"):
            work_in_turns(long.pk)
    else:
        work_in_turns(long.pk)
    assert states() == [("done", 1), ("running" if end == "not stored" else end, 1)]
    assert stored().count(long.pk) == FRAMES


def test_a_round_whose_frames_cannot_be_read_now_waits_and_is_completed_later(
    video: Video, owner: User, acts: Acts
) -> None:
    def break_off() -> None:
        raise StorageAway("The server went away.")

    acts[5] = break_off
    row = run(video, owner, None)
    assert work_in_turns(row.pk)
    row.refresh_from_db()
    assert (row.state, row.postponed, row.heartbeat) == ("queued", 1, None)
    assert order.next_round() is None, "it is left alone for a while"
    assert len(stored()) == 4
    assert work_in_turns(row.pk)
    row.refresh_from_db()
    assert (row.state, row.losses) == ("done", 1)
    assert [mask.frame for mask in masks_of(video.pk, row.pk)] == list(range(FRAMES))
    again = run(video, owner, row.pk)
    Round.objects.filter(pk=again.pk).update(postponed=ROUNDS.limits.max_postponed)
    acts[7 + FRAMES] = break_off
    assert work_in_turns(again.pk)
    again.refresh_from_db()
    assert (again.state, again.error_code) == ("failed", "storage_away")


@pytest.mark.parametrize("by_a_newer_one", [False, True])
def test_a_round_that_is_to_stop_ends_as_such_even_if_its_frames_cannot_be_read(
    video: Video, owner: User, acts: Acts, by_a_newer_one: bool
) -> None:
    row = run(video, owner, None)

    def stop() -> None:
        if by_a_newer_one:
            run(video, owner, row.pk)
        else:
            cancel_round(video=video, by=owner, round_id=row.pk, may_stop_others=True)
        raise StorageAway("The server went away.")

    acts[5] = stop
    assert work_in_turns(row.pk)
    row.refresh_from_db()
    assert (row.state, row.error) == ("superseded" if by_a_newer_one else "cancelled", "")
