"""The Celery task that imports a video."""

from __future__ import annotations

from celery import shared_task

from webapp.videos.import_queue import TASK
from webapp.videos.importing import run_import


@shared_task(name=TASK)
def import_video(video_id: int) -> None:
    run_import(video_id)
