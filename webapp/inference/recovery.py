"""Removes what the engines of lost workers left on disk."""

from __future__ import annotations

import shutil
import socket
import time
from pathlib import Path

import structlog
from django.conf import settings
from django.db.models.functions import Now

from webapp.inference.models import Worker
from webapp.inference.workers import FORGOTTEN_AFTER, is_dead

log = structlog.get_logger(__name__)


def remove_spilled_features() -> None:
    """Delete the feature caches on disk of workers that are gone.

    Whether a process on another host or in another container lives cannot be seen from here. Its cache is deleted when
    its worker stored no heartbeat for a day and no file in the cache is younger than that.
    """
    day_ago = time.time() - FORGOTTEN_AFTER.total_seconds()
    heard_of = set(Worker.objects.filter(heartbeat__gte=Now() - FORGOTTEN_AFTER).values_list("name", flat=True))
    for folder in (Path(settings.HOME) / "cache").glob("*-*"):
        host, _, pid = folder.name.rpartition("-")
        name = f"{host}:{pid}"
        if not pid.isdigit():
            continue
        elsewhere = host != socket.gethostname()
        if is_dead(name) or (elsewhere and name not in heard_of and _is_older(folder, day_ago)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_older(folder: Path, than: float) -> bool:
    try:
        return all(path.stat().st_mtime < than for path in (folder, *folder.rglob("*")))
    except FileNotFoundError:
        return False  # Another process writes or deletes in it at this moment.
