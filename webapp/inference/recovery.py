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
    """Delete what engines of processes that are gone have spilled to disk.

    Containers that were replaced had host names of their own: whether their processes live cannot be seen from here, so
    what they spilled goes when for a day neither the worker was heard of nor anything was written.
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
        return False  # somebody writes or deletes in it at this moment
