"""The sweep: rounds whose worker is gone are queued again, rounds that nobody heard of are rung again."""

from __future__ import annotations

import shutil
import socket
import time
from datetime import timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.utils import timezone

from webapp.annotation.claims import STALE_AFTER, Lost, requeue
from webapp.annotation.models import Round, RoundState
from webapp.annotation.notify import notify_worker
from webapp.inference.models import Worker
from webapp.inference.workers import FORGOTTEN_AFTER, is_dead

log = structlog.get_logger(__name__)

UNHEARD_AFTER = timedelta(seconds=2)
NOTIFY_AGAIN_SECONDS = 15.0
_notified: dict[int, float] = {}  # Round.id -> when this process rang for it; a new process rings at once


def sweep_rounds() -> None:
    """Set right what a lost worker or a lost message left behind. Safe at any time, by several processes at once."""
    for round_ in Round.objects.filter(state=RoundState.RUNNING):
        if round_.heartbeat is None or round_.heartbeat < timezone.now() - STALE_AFTER or is_dead(round_.worker):
            _take_from_the_dead(round_)
    waiting = Round.objects.filter(state=RoundState.QUEUED, created_at__lt=timezone.now() - UNHEARD_AFTER)
    for pk in waiting.values_list("pk", flat=True):
        if time.monotonic() - _notified.get(pk, -NOTIFY_AGAIN_SECONDS) >= NOTIFY_AGAIN_SECONDS:
            _notified[pk] = time.monotonic()
            notify_worker(pk)
    for pk in _notified.keys() - set(waiting.values_list("pk", flat=True)):
        del _notified[pk]


def _take_from_the_dead(round_: Round) -> None:
    try:
        state = requeue(round_)
    except Lost:
        return  # another process was quicker
    if state is not None:
        log.warning("round_taken_from_lost_worker", round=round_.pk, worker=round_.worker, state=state)


def remove_spilled_features() -> None:
    """Delete what engines of processes that are gone have spilled to disk.

    Containers that were replaced had host names of their own: whether their processes live cannot be seen from here, so
    what they spilled goes when for a day neither the worker was heard of nor anything was written.
    """
    day_ago = timezone.now() - FORGOTTEN_AFTER
    heard_of = set(Worker.objects.filter(heartbeat__gte=day_ago).values_list("name", flat=True))
    for folder in (Path(settings.HOME) / "cache").glob("*-*"):
        host, _, pid = folder.name.rpartition("-")
        name = f"{host}:{pid}"
        if not pid.isdigit():
            continue
        elsewhere = host != socket.gethostname()
        if is_dead(name) or (elsewhere and name not in heard_of and _is_older(folder, day_ago.timestamp())):
            shutil.rmtree(folder, ignore_errors=True)


def _is_older(folder: Path, than: float) -> bool:
    try:
        return all(path.stat().st_mtime < than for path in (folder, *folder.rglob("*")))
    except FileNotFoundError:
        return False  # somebody writes or deletes in it at this moment
