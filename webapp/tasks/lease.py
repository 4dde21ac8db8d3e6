"""The lease of a task: which worker may write to its row, for how long, and what happens when that worker is lost.

A task is a database row, such as a round or an export. A worker claims it, which raises its *fence*, a number. Each
later write names that fence, so a worker that was given up and comes back can write nothing. While it works it stores a
heartbeat. Every worker sweeps regularly: it takes back tasks whose worker is lost, and notifies workers again of tasks
that wait. A worker that cannot go on now, because the storage is away, postpones its task.

Every time is read from the clock of the database (`Now()` in SQL), because the clocks of two workers may differ by
minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeVar

import structlog
from django.db import models, transaction
from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import Now

from webapp.prepared import Query
from webapp.tasks.models import PausedQueue, Queue

log = structlog.get_logger(__name__)

_PAUSED = Query(lambda queue: PausedQueue.objects.filter(queue=queue).values_list("pk")[:1], queue=str)
FIRST_NOTIFICATION = timedelta(seconds=2)  # A younger notification may still be on its way.


class LeasedTask(models.Model):
    """The columns of a lease. A row that waits for a worker has no heartbeat; one that a worker works on has one."""

    fence = models.PositiveIntegerField(default=0)  # Each claim raises it; a write with an older fence is refused.
    attempts = models.PositiveSmallIntegerField(default=0)  # How often a worker claimed it.
    postponed = models.PositiveSmallIntegerField(default=0, db_default=0)  # How many of these attempts were postponed.
    heartbeat = models.DateTimeField(null=True)
    # When the workers were last told that it waits, or when it last began to wait.
    notified_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True

    @property
    def losses(self) -> int:
        """How many attempts were not postponed. If the worker of the present one is lost, all of them failed."""
        return self.attempts - self.postponed


@dataclass(frozen=True)
class Limits:
    """How long the sweep waits before it acts on one kind of task, and how often such a task is tried."""

    stale_after: timedelta  # A worker that stored no heartbeat for this time is lost.
    notify_again_after: timedelta
    max_attempts: int = 3
    max_postponed: int = 60


Task = TypeVar("Task", bound=LeasedTask)


class Lease(Generic[Task]):
    """The lease of one kind of task, with the states that its rows have while they wait and while they are worked on.

    A subclass says how workers are notified of such a task, how a task ends whose worker is lost for good, and to which
    queue its tasks belong, so that an administrator can pause them.
    """

    queue: ClassVar[Queue]
    related: ClassVar[tuple[str, ...]] = ()  # The relations of a task that `claim` loads with it.

    def __init__(self, model: type[Task], *, waiting: str, running: str, limits: Limits) -> None:
        self.model = model
        self.waiting_state = waiting
        self.running_state = running
        self.limits = limits
        self._claimed = Query(self._with_related, pk=int)

    # --- what a kind of task defines ----------------------------------------------------------------------------------

    def notify(self, pk: int) -> None:
        """Tell the workers, once the current transaction has committed, that a task waits."""
        raise NotImplementedError

    def is_wanted(self, task: Task) -> bool:
        """Return whether a task whose worker is lost should be tried again. False if it was cancelled, for example."""
        raise NotImplementedError

    def end_lost(self, task: Task) -> None:
        """End a task that is not tried again: its worker is lost, or it is not wanted and its worker cannot go on.

        Called in the transaction that takes the task from the worker.
        """
        raise NotImplementedError

    def hold(self, task: Task) -> None:
        """Lock the rows that `end_lost` and `requeued` write, except the row of the task. By default there are none."""

    def requeued(self, task: Task) -> None:
        """Write what else changes when a task waits again that was postponed or whose worker is lost. By default
        nothing does.

        Called in the transaction that takes the task from the worker.
        """

    def is_dead(self, task: Task) -> bool:
        """Return whether the worker of a task is known to be gone, even if its heartbeat is fresh."""
        return False

    # --- for workers --------------------------------------------------------------------------------------------------

    def claim(self, pk: int, **columns: Any) -> Task | None:
        """Claim a task that waits, store `columns` in its row, and return it.

        Returns None if another worker has claimed it, it has ended, or its queue is paused.
        """
        if _PAUSED.rows(queue=str(self.queue)):
            return None
        with transaction.atomic():
            taken = (
                self.waiting()
                .filter(pk=pk)
                .update(
                    state=self.running_state,
                    fence=F("fence") + 1,
                    attempts=F("attempts") + 1,
                    heartbeat=Now(),
                    **columns,
                )
            )
            if not taken:
                return None
            return self._claimed.first(pk=pk)

    def _with_related(self, pk: int) -> QuerySet[Task]:
        rows = self.model._default_manager.filter(pk=pk)
        return rows.select_related(*self.related) if self.related else rows

    def held(self, pk: int, fence: int) -> QuerySet[Task]:
        """Return the row of a task if it is worked on and `fence` is still its newest fence, else an empty
        query set.
        """
        return self.running().filter(pk=pk, fence=fence)

    def beat(self, pk: int, fence: int, **columns: Any) -> bool:
        """Store a heartbeat and `columns`. Return False, and store nothing, if the task is no longer the caller's."""
        return bool(self.held(pk, fence).update(heartbeat=Now(), **columns))

    @transaction.atomic
    def postpone(self, pk: int, fence: int) -> bool:
        """Let a claimed task wait again, because it cannot be done now. The attempt does not count as failed.

        Workers are told of the task after `notify_again_after`. A task that is not wanted any more ends as `end_lost`
        ends it. Nothing happens if the task is no longer the caller's. Returns False, and stores nothing, only if the
        task was postponed too often: then the caller ends it.
        """
        seen = self.held(pk, fence).first()
        if seen is None:
            return True
        self.hold(seen)
        task = self.held(pk, fence).select_for_update(of=("self",)).first()
        if task is None:
            return True
        if not self.is_wanted(task):
            self.end_lost(task)
            return True
        if task.postponed >= self.limits.max_postponed:
            return False
        self.held(pk, fence).update(
            state=self.waiting_state, heartbeat=None, notified_at=Now(), postponed=F("postponed") + 1
        )
        task.refresh_from_db()
        self.requeued(task)
        log.warning("task_postponed", kind=self.model.__name__, task=pk, times=task.postponed)
        return True

    # --- for the sweep ------------------------------------------------------------------------------------------------

    def waiting(self) -> QuerySet[Task]:
        """Return the tasks that wait for a worker."""
        return self.model._default_manager.filter(state=self.waiting_state, heartbeat=None)

    def notify_all(self) -> None:
        """Tell the workers of all tasks that wait, for example because their queue is no longer paused."""
        for pk in self.waiting().order_by("pk").values_list("pk", flat=True):
            self.notify(pk)

    def running(self) -> QuerySet[Task]:
        """Return the tasks that a worker has claimed, whether it is alive or not."""
        return self.model._default_manager.filter(state=self.running_state, heartbeat__isnull=False)

    def sweep(self, *, starting: bool = False) -> None:
        """Take back the tasks of lost workers, and notify workers again of tasks that wait for long.

        It is safe to call this at any time and from several workers at once. `starting` says that this worker has just
        started: notifications to its predecessor may be lost, so it repeats them without waiting for
        `notify_again_after`.
        """
        for task in self._with_staleness(self.running()):
            if self._is_lost(task):
                try:
                    self.take_back(task.pk, task.fence)
                except Exception:  # The other tasks are swept all the same.
                    log.exception("lost_task_not_taken_back", kind=self.model.__name__, task=task.pk)
        patience = FIRST_NOTIFICATION if starting else self.limits.notify_again_after
        unheard = self.waiting().filter(notified_at__lt=Now() - patience)
        for pk in unheard.order_by("pk").values_list("pk", flat=True):
            if unheard.filter(pk=pk).update(notified_at=Now()):
                self.notify(pk)

    @transaction.atomic
    def take_back(self, pk: int, fence: int) -> None:
        """Take a task from its worker, if the worker is still lost. The task then waits again, or it ends."""
        seen = self.held(pk, fence).first()
        if seen is None:
            return
        self.hold(seen)
        task = self._with_staleness(self.held(pk, fence)).select_for_update(of=("self",)).first()
        if task is None or not self._is_lost(task):
            return  # The worker stored a heartbeat meanwhile, or another sweep was faster.
        if not self.is_wanted(task) or task.losses >= self.limits.max_attempts:
            self.end_lost(task)
        else:
            self.held(pk, fence).update(state=self.waiting_state, heartbeat=None, notified_at=Now())
            task.refresh_from_db()
            self.requeued(task)
            self.notify(pk)
        log.warning("task_taken_from_lost_worker", kind=self.model.__name__, task=pk, attempt=task.attempts)

    def _with_staleness(self, tasks: QuerySet[Task]) -> QuerySet[Any]:
        stale = Q(heartbeat__lt=Now() - self.limits.stale_after)
        return tasks.annotate(heartbeat_is_stale=ExpressionWrapper(stale, BooleanField()))

    def _is_lost(self, task: Any) -> bool:
        return bool(task.heartbeat_is_stale) or self.is_dead(task)
