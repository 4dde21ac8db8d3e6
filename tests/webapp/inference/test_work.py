"""Tests of how a worker computes a round, from the claim to the end. They run in this process with the fake engine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from segmentation.engine import Engine
from segmentation.types import Interaction, MaskUpdate
from tests.segmentation.fake_engine import FakeEngine
from tests.webapp.conftest import FRAMES, accept, draw, lose_worker
from webapp.accounts.models import User
from webapp.annotation.claims import ROUNDS, Claim, beat, claim
from webapp.annotation.head import head_of
from webapp.annotation.masks import masks_of
from webapp.annotation.models import Mask, Round, RoundState
from webapp.annotation.objects import add_object
from webapp.annotation.rounds import cancel_round, create_round
from webapp.annotation.scribbles import waiting
from webapp.annotation.undo import move_head
from webapp.inference import runner, work
from webapp.inference.work import work_on
from webapp.tasks.heartbeat import beating
from webapp.videos.models import Video
from webapp.videos.storage import folder_of

pytestmark = pytest.mark.django_db(transaction=True)  # The heartbeat thread uses another database connection.


@pytest.fixture(autouse=True)
def _silent(sent_tasks: list[Any]) -> None:
    """Record the tasks that these tests send, instead of sending them to a broker, which they do not have."""


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Engine]:
    """Return a list to which each session is added when it is opened."""
    sessions: list[Engine] = []
    real = runner.registry.create_engine_session

    def create_engine_session(*args: Any, **options: Any) -> Engine:
        sessions.append(real(*args, **options))
        return sessions[-1]

    monkeypatch.setattr(runner.registry, "create_engine_session", create_engine_session)
    return sessions


def make(video: Video, author: User, base: int | None, frame: int = 0, number: int = 1, engine: str = "fake") -> Round:
    draw(video, author, frame, number)
    return create_round(video=video, author=author, key=uuid4(), frames=[frame], engine=engine, base=base)


def labels(video: Video, head: int | None) -> list[np.ndarray]:
    return [mask.labels for mask in masks_of(video.pk, head)]


def after(row: Round) -> Round:
    row.refresh_from_db()
    return row


def test_a_round_stores_every_frame_and_the_drawn_one_first(video: Video, owner: User) -> None:
    row = make(video, owner, None, frame=3)
    seen: list[tuple[int, int]] = []
    assert work_on(row.pk, lambda done, total: seen.append((done, total)))
    after(row)
    assert (row.state, row.engine, row.progress_done, row.progress_total) == ("done", "fake", FRAMES, FRAMES)
    assert row.frames == [[0, FRAMES - 1]]
    first = Mask.objects.order_by("id").first()
    assert first is not None
    assert first.frame == 3
    assert first.confidence == [0.9]
    assert seen[0] == (1, FRAMES), "the first mask is stored at once"
    assert seen[-1] == (FRAMES, FRAMES)
    assert (labels(video, row.pk)[3] == 1).any()


def test_the_default_engine_is_resolved_and_told(video: Video, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner.registry, "DEFAULT_ENGINE", "fake")
    row = make(video, owner, None, engine="default")
    work_on(row.pk)
    assert after(row).engine == "fake"


def test_there_is_nothing_to_do_twice(video: Video, owner: User) -> None:
    row = make(video, owner, None)
    assert work_on(row.pk)
    assert not work_on(row.pk)
    assert Mask.objects.count() == FRAMES


def test_a_follow_up_round_reuses_the_session(video: Video, owner: User, opened: list[Engine]) -> None:
    first = make(video, owner, None)
    work_on(first.pk)
    second = make(video, owner, first.pk, frame=5)
    work_on(second.pk)
    assert len(opened) == 1


def test_a_kept_session_and_a_rebuilt_one_give_the_same_masks(video: Video, owner: User, opened: list[Engine]) -> None:
    first = make(video, owner, None)
    work_on(first.pk)
    second = make(video, owner, first.pk, frame=5)
    work_on(second.pk)
    kept = labels(video, second.pk)
    move_head(video=video, by=owner, from_round=second.pk, to_round=first.pk)
    again = make(video, owner, first.pk, frame=5)
    work_on(again.pk)
    assert len(opened) == 2, "the kept session has seen a round of another branch"
    np.testing.assert_array_equal(kept, labels(video, again.pk))


def test_objects_may_come_late(video: Video, owner: User) -> None:
    first = make(video, owner, None)
    work_on(first.pk)
    late = add_object(video=video, author=owner).number
    second = make(video, owner, first.pk, frame=6, number=late)
    work_on(second.pk)
    assert after(second).state == "done"
    assert (labels(video, second.pk)[6] == late).any()


def test_accepted_frames_are_locked_and_released(video: Video, owner: User, opened: list[Engine]) -> None:
    first = make(video, owner, None)
    work_on(first.pk)
    accept(video, owner, 2)
    before = labels(video, first.pk)[2]
    add_object(video=video, author=owner)
    second = make(video, owner, first.pk, frame=3, number=2)
    work_on(second.pk)
    assert list(opened[0].locked) == [2]
    assert after(second).frames == [[0, 1], [3, FRAMES - 1]]
    assert second.progress_total == FRAMES - 1
    np.testing.assert_array_equal(labels(video, second.pk)[2], before)


# --- rounds that are stopped ---


def stopping(monkeypatch: pytest.MonkeyPatch, at: int, act: Any) -> None:
    """Make the fake engine call `act` before it yields mask number `at` (0 is the first) of a round."""
    real = FakeEngine._run

    def run(self: FakeEngine, interaction: Interaction) -> Iterator[MaskUpdate]:
        for number, update in enumerate(real(self, interaction)):
            if number == at:
                act()
            yield update

    monkeypatch.setattr(FakeEngine, "_run", run)
    monkeypatch.setattr(work, "BATCH_SECONDS", 0)


def test_a_cancelled_round_stops_after_the_frame_at_hand(
    video: Video, owner: User, monkeypatch: pytest.MonkeyPatch, opened: list[Engine]
) -> None:
    row = make(video, owner, None)
    stopping(monkeypatch, 2, lambda: cancel_round(video=video, by=owner, round_id=row.pk, may_stop_others=False))
    work_on(row.pk)
    assert (after(row).state, row.frames) == ("cancelled", [[0, 2]])


def test_an_engine_that_shows_nothing_for_long_is_stopped_too(
    video: Video, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that computes long without yielding a mask notices that it must stop. Its earlier masks are kept."""
    row, real = make(video, owner, None), FakeEngine._run
    seen: list[int] = []

    def run(self: FakeEngine, interaction: Interaction) -> Iterator[MaskUpdate]:
        for update in real(self, interaction):
            yield update
            if update.frame == 1:
                break
        for turn in range(1000):
            seen.append(after(row).progress_done)
            if turn == 3:
                cancel_round(video=video, by=owner, round_id=row.pk, may_stop_others=False)
            if self.stopping():
                return
            time.sleep(work.BATCH_SECONDS)
        raise AssertionError("nobody stopped it")

    monkeypatch.setattr(FakeEngine, "_run", run)
    work_on(row.pk)
    assert (after(row).state, row.frames) == ("cancelled", [[0, 1]])
    assert seen[2] == 2
    assert len(seen) < 10


def test_a_mask_that_comes_after_the_engine_was_told_to_stop_is_stored_too(
    video: Video, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mask that the engine yields after it was told to stop is in its session, on which the next round builds.

    It is therefore stored in the database, too.
    """
    row, real = make(video, owner, None), FakeEngine._run

    def run(self: FakeEngine, interaction: Interaction) -> Iterator[MaskUpdate]:
        asked = False
        for update in real(self, interaction):
            if update.frame == 3:
                cancel_round(video=video, by=owner, round_id=row.pk, may_stop_others=False)
                time.sleep(work.BATCH_SECONDS)
                asked = self.stopping()
            yield update
            if asked:
                return

    monkeypatch.setattr(FakeEngine, "_run", run)
    work_on(row.pk)
    assert (after(row).state, row.frames, row.progress_done) == ("cancelled", [[0, 3]], 4)


def test_a_superseded_round_makes_way_and_its_session_goes_on(
    video: Video, owner: User, monkeypatch: pytest.MonkeyPatch, opened: list[Engine]
) -> None:
    row = make(video, owner, None)
    newer: list[Round] = []
    with monkeypatch.context() as patch:
        stopping(patch, 1, lambda: newer.append(make(video, owner, row.pk, frame=4)))
        work_on(row.pk)
    assert (after(row).state, row.frames) == ("superseded", [[0, 1]])
    work_on(newer[0].pk)
    assert after(newer[0]).state == "done"
    assert len(opened) == 1
    assert newer[0].base_id == row.pk


def test_a_round_that_is_cancelled_before_it_starts_computes_nothing(
    video: Video, owner: User, opened: list[Engine]
) -> None:
    row = make(video, owner, None)
    Round.objects.filter(pk=row.pk).update(cancel_requested=True)
    work_on(row.pk)
    assert after(row).state == "cancelled"
    assert opened == []
    assert len(waiting(video, owner, [0])) == 1


# --- rounds of lost workers ---


def test_an_interrupted_round_is_completed_without_doubling_a_mask(
    video: Video, owner: User, opened: list[Engine]
) -> None:
    whole = make(video, owner, None)
    work_on(whole.pk)
    wanted = labels(video, whole.pk)
    move_head(video=video, by=owner, from_round=whole.pk, to_round=None)

    row = make(video, owner, None)
    lost = claim(row.pk, "a worker that dies")
    assert lost
    session = runner.session_at(work.sessions, video, runner.SessionKey(video.pk, "fake", ""), [], 1)
    updates = runner.run_round(session, row)
    work.store_masks(lost, [work.new_mask(*_fields(next(updates))) for _ in range(3)])
    before = dict(Mask.objects.filter(round=row).values_list("frame", "pk"))
    assert lose_worker(ROUNDS, row) == RoundState.QUEUED
    work_on(row.pk)
    assert (after(row).state, row.attempts, row.progress_done) == ("done", 2, FRAMES)
    kept = dict(Mask.objects.filter(round=row).values_list("frame", "pk"))
    assert len(kept) == FRAMES
    assert before.items() <= kept.items()
    np.testing.assert_array_equal(labels(video, row.pk), wanted)


def _fields(update: MaskUpdate) -> tuple[Any, ...]:
    return update.frame, update.labels, update.confidence, update.engine_state


def test_a_worker_that_lost_its_round_stops_and_keeps_no_session(
    video: Video, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = make(video, owner, None)
    with monkeypatch.context() as patch:
        stopping(patch, 2, lambda: lose_worker(ROUNDS, row))
        work_on(row.pk)
    assert (after(row).state, Mask.objects.count()) == ("queued", 2)
    assert work.sessions.nbytes == 0
    work_on(row.pk)
    assert (after(row).state, Mask.objects.count()) == ("done", FRAMES)


# --- rounds that fail ---


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (MemoryError(), "out_of_memory", "MASKWRIGHT_MAX_SIDE"),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA"), "out_of_memory", "MASKWRIGHT_MAX_SIDE"),
        (ValueError("interaction.frame: no"), "engine_refused", "interaction.frame: no"),
        (ZeroDivisionError("oh"), "engine_error", "ZeroDivisionError: oh"),
        (runner.weights.WeightsMissing("Put it there."), "weights_missing", "Put it there."),
    ],
)
def test_a_round_that_cannot_be_computed_fails_with_a_sentence_and_gives_back_its_scribbles(
    video: Video, owner: User, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str, words: str
) -> None:
    def fail() -> None:
        raise error

    row = make(video, owner, None)
    with monkeypatch.context() as patch:
        stopping(patch, 2, fail)
        work_on(row.pk)
    assert (after(row).state, row.error_code) == ("failed", code)
    assert words in row.error
    assert head_of(video.pk) is None
    assert len(waiting(video, owner, [0])) == 1
    again = create_round(video=video, author=owner, key=uuid4(), frames=[0], engine="fake", base=None)
    work_on(again.pk)
    assert after(again).state == "done"


@pytest.mark.parametrize("step", ["_restore", "lock"])
def test_a_session_that_cannot_be_rebuilt_is_closed(
    video: Video, owner: User, monkeypatch: pytest.MonkeyPatch, opened: list[Engine], step: str
) -> None:
    """A session that cannot be rebuilt, for example because memory ran out, is closed, which frees its memory."""
    first = make(video, owner, None)
    work_on(first.pk)
    accept(video, owner, 2)
    work.sessions.clear()
    closed: list[Engine] = []
    monkeypatch.setattr(FakeEngine, "close", lambda self: closed.append(self))

    def fail(self: FakeEngine, *args: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(FakeEngine, step, fail)
    second = make(video, owner, first.pk)
    work_on(second.pk)
    assert (after(second).state, second.error_code) == ("failed", "out_of_memory")
    assert closed == opened[1:]
    assert len(closed) == 1


def test_an_unknown_engine_fails_with_the_known_ones(video: Video, owner: User) -> None:
    row = make(video, owner, None, engine="magic")
    work_on(row.pk)
    assert (after(row).state, row.error_code) == ("failed", "engine_refused")
    assert "fake" in row.error


def test_a_frame_that_is_gone_is_named(video: Video, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    row = make(video, owner, None)
    folder_of(video.pk).frame(4).unlink()
    with monkeypatch.context() as patch:
        stopping(patch, 3, lambda: runner.StoredFrames(video)[4])
        work_on(row.pk)
    assert (after(row).state, row.error_code) == ("failed", "frame_missing")
    assert "000004.jpg" in row.error


def test_heartbeats_are_stored_while_other_work_is_done(video: Video, owner: User) -> None:
    row = make(video, owner, None)
    claimed = claim(row.pk, "w")
    assert isinstance(claimed, Claim)
    before = after(row).heartbeat
    with beating(partial(beat, claimed), 0.01):
        for _ in range(500):
            if after(row).heartbeat != before:
                break
    newest = after(row).heartbeat
    assert before is not None
    assert newest is not None
    assert newest > before


def test_an_engine_ends_its_round_at_once_if_its_masks_cannot_be_stored(
    video: Video, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, real, ended = make(video, owner, None), FakeEngine._run, []

    def run(self: FakeEngine, interaction: Interaction) -> Iterator[MaskUpdate]:
        try:
            yield from real(self, interaction)
        finally:
            ended.append("ended")

    # The traceback in the error keeps the generator alive, so that only closing it ends it.
    monkeypatch.setattr(FakeEngine, "_run", run)
    monkeypatch.setattr(work, "store_masks", lambda *_: 1 // 0)
    monkeypatch.setattr(work, "_fail", lambda claimed, error: ended.append(type(error).__name__))
    work_on(row.pk)
    assert ended == ["ended", "ZeroDivisionError"]
