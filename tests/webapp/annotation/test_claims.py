"""Tests of what workers do with rounds: claim them, store masks and end them."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from tests.webapp.conftest import lose_worker, run, some_mask
from webapp.accounts.models import User
from webapp.annotation.claims import ROUNDS, Claim, Lost, beat, claim, fail, finish, store
from webapp.annotation.head import head_of
from webapp.annotation.models import Mask, Round, RoundState
from webapp.annotation.rounds import cancel_round
from webapp.videos.models import Video


@pytest.fixture
def queued(video: Video, owner: User) -> Round:
    return run(video, owner, None)


def lose(round_: Round) -> str:
    """Make the heartbeat of a round too old, run the sweep, and return the state of the round afterwards."""
    return lose_worker(ROUNDS, round_)


def test_a_round_is_claimed_once(queued: Round) -> None:
    claimed = claim(queued.pk, "first")
    assert claimed is not None
    assert claim(queued.pk, "second") is None
    queued.refresh_from_db()
    assert (queued.state, queued.worker, queued.fence, queued.attempts) == ("running", "first", claimed.fence, 1)


def test_there_is_nothing_to_claim_where_no_round_is(db: None) -> None:
    assert claim(12345, "w") is None


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_race_one_gets_the_round(video: Video, owner: User, sent_tasks: list) -> None:
    base = None
    for _ in range(6):
        made = run(video, owner, base)
        won: list[Claim] = []
        errors: list[BaseException] = []
        start = threading.Barrier(4)

        def race(made: Round = made, start: threading.Barrier = start, won: list = won, errors: list = errors) -> None:
            try:
                start.wait()
                claimed = claim(made.pk, threading.current_thread().name)
                if claimed:
                    won.append(claimed)
            except BaseException as error:
                errors.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=race) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert len(won) == 1
        made.refresh_from_db()
        assert (made.attempts, made.fence) == (1, won[0].fence)
        finish(won[0], complete=True)
        base = made.pk


def test_a_worker_that_was_given_up_writes_nothing(queued: Round) -> None:
    old = claim(queued.pk, "old")
    assert old
    store(old, [some_mask(0)])
    assert lose(queued) == RoundState.QUEUED
    new = claim(queued.pk, "new")
    assert new
    assert new.fence > old.fence
    for write in (
        lambda: store(old, [some_mask(1)]),
        lambda: finish(old, complete=True),
        lambda: fail(old, code="x", text="x"),
    ):
        with pytest.raises(Lost):
            write()
    long_ago = timezone.now() - timedelta(hours=1)
    Round.objects.filter(pk=queued.pk).update(heartbeat=long_ago)
    beat(old)
    queued.refresh_from_db()
    assert (queued.worker, queued.state, queued.engine) == ("new", "running", "fake")
    assert queued.heartbeat == long_ago, "the heartbeat of the old worker is not stored"
    assert Mask.objects.count() == 1
    assert store(new, [some_mask(1)])
    assert finish(new, complete=True) == RoundState.DONE


def test_a_mask_cannot_be_doubled(queued: Round) -> None:
    claimed = claim(queued.pk, "w")
    assert claimed
    store(claimed, [some_mask(0)])
    with pytest.raises(IntegrityError), transaction.atomic():
        store(claimed, [some_mask(0)])
    queued.refresh_from_db()
    assert queued.progress_done == 1


def test_a_heartbeat_that_came_meanwhile_keeps_the_round(queued: Round) -> None:
    claimed = claim(queued.pk, "w")
    assert claimed
    Round.objects.filter(pk=queued.pk).update(heartbeat=Now() - timedelta(minutes=1))
    beat(claimed)
    ROUNDS.take_back(queued.pk, claimed.fence)
    queued.refresh_from_db()
    assert queued.state == RoundState.RUNNING


def test_after_three_attempts_a_lost_round_fails_with_a_sentence(video: Video, queued: Round) -> None:
    for attempt in range(1, ROUNDS.limits.max_attempts + 1):
        assert claim(queued.pk, f"worker {attempt}")
        wanted = RoundState.QUEUED if attempt < ROUNDS.limits.max_attempts else RoundState.FAILED
        assert lose(queued) == wanted
    queued.refresh_from_db()
    assert queued.error_code == "worker_lost"
    assert "stopped 3 times" in queued.error
    assert head_of(video.pk) is None


def test_a_lost_round_that_was_cancelled_is_not_tried_again(video: Video, owner: User, queued: Round) -> None:
    claimed = claim(queued.pk, "w")
    assert claimed
    store(claimed, [some_mask(0)])
    cancel_round(video=video, by=owner, round_id=queued.pk, may_stop_others=False)
    assert lose(queued) == RoundState.CANCELLED


def test_a_lost_round_that_was_superseded_makes_way(video: Video, owner: User, queued: Round) -> None:
    claimed = claim(queued.pk, "w")
    assert claimed
    store(claimed, [some_mask(0)])
    newer = run(video, owner, queued.pk, frame=4)
    assert lose(queued) == RoundState.SUPERSEDED
    assert claim(newer.pk, "w2")


def test_a_second_attempt_keeps_the_start_and_what_is_stored(queued: Round) -> None:
    first = claim(queued.pk, "w", engine="fake", weights="abc", progress_total=7)
    assert first
    assert (first.row.state, first.row.weights) == ("running", "abc")
    store(first, [some_mask(0)])
    queued.refresh_from_db()
    started = queued.started_at
    lose(queued)
    assert claim(queued.pk, "w2")
    queued.refresh_from_db()
    assert (queued.started_at, queued.progress_done, queued.progress_total) == (started, 1, 7)
