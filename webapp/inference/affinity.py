"""In team mode, a round goes to the worker that computed its base, because that worker still has the video's session.

That saves rebuilding the session (an engine that has the video open). It is done only if that worker is alive and idle.
Each worker listens to a queue of its own beside the common one. A round is forwarded once at most, within three seconds
of its creation. If that worker does not take it, any other worker computes it later, at the cost of rebuilding a
session.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from webapp.annotation.masks import line_of
from webapp.annotation.models import Origin, Preview, Round, RoundState
from webapp.inference.models import Worker
from webapp.inference.workers import ALIVE_WITHIN
from webapp.tasks.worker_names import own_name

YOUNG = timedelta(seconds=3)


def queue_of(worker: str) -> str:
    return f"rounds.{worker}"


def better_queue(round_id: int) -> str | None:
    """Return the queue of another worker that has the session for this round.

    Returns None if this worker should compute the round itself.
    """
    if not settings.TEAM_MODE:
        return None
    waiting = Round.objects.filter(pk=round_id, state=RoundState.QUEUED, created_at__gte=Now() - YOUNG)
    base = waiting.values_list("base_id", flat=True).first()
    return _queue_of_idle(_last_worker(base))


def better_preview_queue(preview_id: int) -> str | None:
    """Return the queue of another worker that has the session for this preview, as `better_queue` does for a round."""
    if not settings.TEAM_MODE:
        return None
    head = Preview.objects.filter(pk=preview_id).values_list("video__head__round_id", flat=True).first()
    return _queue_of_idle(_last_worker(head))


def _last_worker(head: int | None) -> str | None:
    """Return the name of the worker of the newest round among `head` and those it builds on, or None if there is none.

    Painted, edited and imported versions are skipped, because they need no session.
    """
    rounds = Round.objects.filter(pk__in=line_of(head), origin=Origin.ROUND).exclude(worker="")
    return rounds.order_by("-pk").values_list("worker", flat=True).first()


def _queue_of_idle(holder: str | None) -> str | None:
    """Return the queue of the worker `holder` if it is another one that is alive, idle and not being drained, otherwise
    None.
    """
    if not holder or holder == own_name():
        return None
    if Round.objects.filter(state=RoundState.RUNNING, worker=holder).exists():
        return None
    alive = Worker.objects.filter(name=holder, heartbeat__gte=Now() - ALIVE_WITHIN)
    if not alive.filter(draining=False).exists():
        return None
    return queue_of(holder)
