"""Tests of the lease of rounds, imports and exports, above all a property test.

In it, two workers, whose clocks differ, claim, write, finish and die in random order. Rules are checked after each
step.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.webapp.conftest import make_video
from webapp.accounts.models import User
from webapp.annotation.claims import ROUNDS
from webapp.annotation.export.jobs import EXPORTS
from webapp.annotation.models import Export, Round
from webapp.projects.models import Project
from webapp.tasks.lease import Lease, LeasedTask, Limits
from webapp.videos.import_queue import IMPORTS
from webapp.videos.models import Upload, Video

# Seconds. They are a hundred times the limits of rounds, so that a few seconds of delay make no difference.
STALE, AGAIN, FIRST = 800, 1500, 200
LIMITS = Limits(timedelta(seconds=STALE), timedelta(seconds=AGAIN), max_attempts=3)
PROJECT: list[Project] = []

seconds = st.sampled_from([100, 300, 700, 900, 1600])
offsets = st.sampled_from([0, 900, -900, 3000, -3000])
who = st.integers(0, 1)


def make_round(author: User) -> LeasedTask:
    return Round.objects.create(
        video=make_video(PROJECT[0], author), number=1, key=uuid4(), author=author, frame=0, scribbles=[], num_objects=1
    )


def make_import(author: User) -> LeasedTask:
    upload = Upload.objects.create(project=PROJECT[0], name="reef.mp4", size=9, created_by=author)
    return Video.objects.create(project=PROJECT[0], name="reef.mp4", created_by=author, upload=upload)


def make_export(author: User) -> LeasedTask:
    return Export.objects.create(video=make_video(PROJECT[0], author), format="davis", author=author)


KINDS = [(ROUNDS, make_round), (IMPORTS, make_import), (EXPORTS, make_export)]


@contextmanager
def wrong_clock(ahead: timedelta) -> Iterator[None]:
    """Set the clock of this process (`timezone.now`) ahead of the database's clock by `ahead` inside the block."""
    real = timezone.now

    def now() -> datetime:
        return real() + ahead

    with mock.patch("django.utils.timezone.now", now):
        yield


@dataclass
class Worker:
    """A worker, whose clock may differ from the database's. `fence` is the fence of its last claim, or None."""

    offset: int  # seconds by which its clock is ahead of the database's
    fence: int | None = None

    @contextmanager
    def clock(self) -> Iterator[None]:
        with wrong_clock(timedelta(seconds=self.offset)):
            yield


class OneTask(RuleBasedStateMachine):
    """Hypothesis state machine with one task and two workers.

    `holder` is the worker with the newest claim, whose writes must be stored as long as the task runs. It is None
    before the first claim, and once that worker was killed.
    """

    lease: Lease[Any]

    @initialize(kind=st.sampled_from(KINDS), first=offsets, second=offsets)
    def start(self, kind: Any, first: int, second: int) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        lease, make = kind
        self.patches: list[Any] = [
            mock.patch("webapp.tasks.lease.FIRST_NOTIFICATION", timedelta(seconds=FIRST)),
            mock.patch.object(lease, "limits", LIMITS),
            mock.patch.object(lease, "notify", lambda pk: self.notified.append(pk)),
            mock.patch.object(lease, "hold", self.meanwhile),
        ]
        for patch in self.patches:
            patch.start()
        self.lease = lease
        self.pk = make(User.objects.get(username="owner")).pk
        self.workers = [Worker(first), Worker(second)]
        self.notified: list[int] = []
        self.holder: Worker | None = None
        self.age = self.unheard = self.claims = self.fence = 0
        self.beats_before_taking_back = False

    def teardown(self) -> None:
        if not hasattr(self, "atomic"):
            return
        try:
            self.it_ends_after_a_bounded_number_of_attempts()
        finally:
            for patch in self.patches:
                patch.stop()
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    @property
    def row(self) -> Any:
        return self.lease.model._default_manager.get(pk=self.pk)

    def is_waiting(self) -> bool:
        return self.lease.waiting().filter(pk=self.pk).exists()

    def is_running(self) -> bool:
        return self.lease.running().filter(pk=self.pk).exists()

    def meanwhile(self, task: Any) -> None:
        """Called after a sweep has read the task and before it locks the row. The worker may send a heartbeat then."""
        if self.beats_before_taking_back and self.holder is not None:
            self.age = 0
            with self.holder.clock():
                assert self.lease.beat(self.pk, self.fence)

    # --- workers ----------------------------------------------------------------------------------------------------

    @rule(at=who)
    def claim(self, at: int) -> None:
        worker, free = self.workers[at], self.is_waiting()
        with worker.clock():
            taken = self.lease.claim(self.pk)
        assert (taken is not None) == free
        if taken is not None:
            assert taken.fence > self.fence
            self.claims += 1
            self.holder, self.age, self.fence = worker, 0, taken.fence
            worker.fence = taken.fence

    @precondition(lambda self: any(worker.fence is not None for worker in self.workers))
    @rule(at=who, done=st.integers(1, 99))
    def write(self, at: int, done: int) -> None:
        """Let a worker store its progress and a heartbeat. It may have lost the task, and is then refused."""
        worker, before = self.workers[at], self.row.progress_done
        if worker.fence is None:
            return
        mine = worker.fence == self.fence and self.is_running()
        with worker.clock():
            assert self.lease.beat(self.pk, worker.fence, progress_done=done) == mine
        assert self.row.progress_done == (done if mine else before)
        if mine:
            self.age = 0

    @precondition(lambda self: self.holder is not None)
    @rule(at=who)
    def finish(self, at: int) -> None:
        worker = self.workers[at]
        if worker.fence is None:
            return
        mine = worker.fence == self.fence and self.is_running()
        ended = self.lease.held(self.pk, worker.fence).update(state="done")
        assert bool(ended) == mine

    @rule(at=who)
    def kill(self, at: int) -> None:
        """End the process of a worker. A new one with the same clock takes its place and has no claim."""
        worker = self.workers[at]
        self.workers[at] = replace(worker, fence=None)
        if self.holder is worker:
            self.holder = None

    # --- time, people, the sweep ------------------------------------------------------------------------------------

    @rule(passed=seconds)
    def time_passes(self, passed: int) -> None:
        """Move the times in the row of the task back by `passed` seconds, as if so much time had passed."""
        back = timedelta(seconds=passed)
        rows = self.lease.model._default_manager.filter(pk=self.pk)
        rows.update(heartbeat=F("heartbeat") - back, notified_at=F("notified_at") - back)
        self.age += passed
        self.unheard += passed

    @precondition(lambda self: self.is_waiting() or self.is_running())
    @rule()
    def cancel(self) -> None:
        self.lease.model._default_manager.filter(pk=self.pk).update(cancel_requested=True)

    @rule(at=who, starting=st.booleans(), beats=st.booleans())
    def sweep(self, at: int, starting: bool, beats: bool) -> None:
        running, waiting, before = self.is_running(), self.is_waiting(), self.row
        self.beats_before_taking_back = beats
        self.notified.clear()
        with self.workers[at].clock():
            self.lease.sweep(starting=starting)
        if running and self.age < STALE:
            assert self.row.fence == before.fence, "a worker that was heard of was robbed"
            assert self.is_running()
            assert self.notified == []
        elif running:
            again = before.attempts < LIMITS.max_attempts and not before.cancel_requested
            assert self.is_waiting() == again
            assert not self.is_running()
            assert self.notified == [self.pk] * again
        elif waiting:
            due = FIRST if starting else AGAIN
            assert self.notified == [self.pk] * (self.unheard >= due)
        else:
            assert self.row.state == before.state
            assert self.notified == []
        if self.notified:
            self.unheard = 0

    # --- invariants -------------------------------------------------------------------------------------------------

    @invariant()
    def one_worker_at_most_may_write(self) -> None:
        if not hasattr(self, "atomic"):
            return
        fences = {worker.fence for worker in self.workers if worker.fence is not None}
        writers = [fence for fence in fences if self.lease.held(self.pk, fence).exists()]
        assert writers in ([], [self.row.fence])
        assert self.row.attempts == self.claims <= LIMITS.max_attempts

    def it_ends_after_a_bounded_number_of_attempts(self) -> None:
        """Check that the task ends, as failed or cancelled, if every worker that claims it from now on dies."""
        self.beats_before_taking_back = False
        for _ in range(LIMITS.max_attempts + 1):
            self.time_passes(STALE + AGAIN)
            self.sweep(0, False, False)
            self.claim(1)
            self.kill(1)
        self.time_passes(STALE)
        self.sweep(1, False, False)
        assert not self.is_waiting()
        assert not self.is_running()
        assert self.claims <= LIMITS.max_attempts


@pytest.mark.django_db
def test_a_lease_is_safe_and_ends(project: Project, owner: User) -> None:
    PROJECT[:] = [project]
    examples = int(os.environ.get("LEASE_EXAMPLES", "60"))
    run_state_machine_as_test(
        OneTask,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
@pytest.mark.parametrize("ahead", [timedelta(seconds=30), timedelta(seconds=-30)])
def test_a_worker_whose_clock_is_wrong_neither_robs_nor_is_robbed(
    project: Project, owner: User, ahead: timedelta
) -> None:
    PROJECT[:] = [project]
    task = ROUNDS.claim(make_round(owner).pk, worker="elsewhere:1")
    assert task is not None
    with wrong_clock(ahead):
        ROUNDS.sweep()
        assert ROUNDS.beat(task.pk, task.fence)
    ROUNDS.sweep()
    assert ROUNDS.held(task.pk, task.fence).exists()


@pytest.mark.django_db
def test_a_task_that_is_postponed_lost_no_attempt_and_is_postponed_a_number_of_times(
    project: Project, owner: User, sent_tasks: list[Any]
) -> None:
    PROJECT[:] = [project]
    lease = EXPORTS
    pk = make_export(owner).pk
    with mock.patch.object(lease, "limits", replace(LIMITS, max_attempts=1, max_postponed=2)):
        for times in (1, 2):
            task = lease.claim(pk)
            assert task is not None
            assert lease.postpone(pk, task.fence)
            assert lease.postpone(pk, task.fence), "it is no longer this worker's, so it has nothing to end"
            waits = lease.waiting().get(pk=pk)
            assert (waits.attempts, waits.postponed, waits.losses) == (times, times, 0)
        lease.sweep()
        assert sent_tasks == [], "nobody is told of it for a while"
        task = lease.claim(pk)
        assert task is not None
        assert not lease.postpone(pk, task.fence), "twice is the most"
        assert lease.held(pk, task.fence).exists()
        Export.objects.filter(pk=pk).update(cancel_requested=True)
        assert lease.postpone(pk, task.fence)
        ended = Export.objects.get(pk=pk)
        assert (ended.state, ended.error) == ("cancelled", ""), "somebody cancelled it, however often it was postponed"
