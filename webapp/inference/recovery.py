"""Removes the feature caches that the engines of lost workers left on disk."""

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
    """Delete the feature caches (computed features that did not fit into memory) of workers that are gone.

    Whether a process on another host or in another container is alive cannot be seen from here. So its cache is deleted
    only when its worker has stored no heartbeat for a day and every file in the cache is older than a day.
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
        return False  # Another process writes or deletes files in it at this moment.
