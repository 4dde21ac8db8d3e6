"""Decides which round a worker begins next, and which waiting work it leaves to other workers.

Previews come first, because a person watches for them. Then come rounds: those of the project with the fewest running
rounds first, among them those of the author with the fewest running rounds, then the oldest. Imports and exports have
workers of their own, to which the operating system gives a lower priority.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from webapp.annotation.claims import ROUNDS
from webapp.annotation.models import Preview, Round, RoundState
from webapp.inference.workers import alive_workers
from webapp.prepared import Query
from webapp.tasks.worker_names import own_name

# A worker that computes a round already leaves one that has waited for a shorter time to another worker that is idle.
LEFT_TO_THE_IDLE = timedelta(seconds=1)
# A round that was postponed, because the storage is away, is not begun before this time.
POSTPONED_FOR = timedelta(seconds=10)

_NEWEST_ROUND = Query(
    lambda state: Round.objects.filter(state=state).order_by("-pk").values_list("pk", flat=True)[:1], state=str
)
_NEWEST_PREVIEW = Query(
    lambda least: Preview.objects.filter(pk__gt=least, data=None).order_by("-pk").values_list("pk", flat=True)[:1],
    least=int,
)


def newest_waiting() -> tuple[int, int]:
    """Return the highest ids of a round and of a preview that wait for a worker, 0 where none waits."""
    return _NEWEST_ROUND.first(state=RoundState.QUEUED.value) or 0, _NEWEST_PREVIEW.first(least=0) or 0


def next_round(*, busy: bool = False) -> int | None:
    """Return the id of the round that this worker should begin next, or None if there is none.

    Rounds that cannot begin yet are left out: those of a video of which another round runs or has waited for longer.
    `busy` says that the worker computes a round already: it then leaves a round to an idle worker for a second.
    """
    if busy and somebody_is_idle():
        late = _ready().filter(notified_at__lt=Now() - LEFT_TO_THE_IDLE)
        return late.values_list("pk", flat=True).first()
    return _NEXT.first()


def somebody_is_idle() -> bool:
    """Return whether another worker is alive that computes no round and is not being drained."""
    busy = Round.objects.filter(state=RoundState.RUNNING).values("worker")
    return alive_workers().filter(draining=False).exclude(name__in=busy).exclude(name=own_name()).exists()


def _ready() -> QuerySet[Round]:
    """Return the rounds that a worker may begin now, in the order in which they should begin."""
    running = Round.objects.filter(state=RoundState.RUNNING).order_by()
    same_video = Round.objects.filter(video=OuterRef("video")).order_by()
    return (
        ROUNDS.waiting()
        .exclude(postponed__gt=0, notified_at__gt=Now() - POSTPONED_FOR)
        .exclude(Exists(same_video.filter(state=RoundState.RUNNING)))
        .exclude(Exists(same_video.filter(state=RoundState.QUEUED, pk__lt=OuterRef("pk"))))
        .order_by(_count(running, "video__project"), _count(running, "author"), "pk")
    )


_NEXT = Query(lambda: _ready().values_list("pk", flat=True)[:1])


def _count(running: QuerySet[Round], column: str) -> Coalesce:
    """Return an expression: how many of the `running` rounds have the same value in `column` as the row."""
    same = running.filter(**{column: OuterRef(column)}).values(column)
    return Coalesce(Subquery(same.annotate(count=Count("pk")).values("count"), output_field=IntegerField()), 0)
