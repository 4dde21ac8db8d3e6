"""The Celery task that deletes what nobody can bring back any more. A worker for media runs it."""

from __future__ import annotations

from celery import shared_task

from webapp.overview.removal import remove_marked
from webapp.projects.deletable import REMOVE


@shared_task(name=REMOVE)
def remove() -> None:
    remove_marked()
