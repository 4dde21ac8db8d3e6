"""The Celery tasks that delete what nobody can bring back, and copy videos. A worker for media runs them."""

from __future__ import annotations

from celery import shared_task

from webapp.overview.copying import run_copy
from webapp.overview.removal import remove_marked
from webapp.projects.deletable import REMOVE
from webapp.videos.import_queue import COPY


@shared_task(name=REMOVE)
def remove() -> None:
    remove_marked()


@shared_task(name=COPY)
def copy(video_id: int) -> None:
    run_copy(video_id)
