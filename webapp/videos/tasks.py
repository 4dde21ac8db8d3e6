"""The Celery tasks that import videos, and those that first fetch a file from a URL, a bucket or the import folder."""

from __future__ import annotations

from celery import shared_task

from webapp.videos.fetching import TASK as FETCH
from webapp.videos.fetching import run_fetch
from webapp.videos.import_queue import TASK
from webapp.videos.importing import run_import


@shared_task(name=TASK)
def import_video(video_id: int) -> None:
    run_import(video_id)


@shared_task(name=FETCH)
def fetch_file(fetch_id: int) -> None:
    run_fetch(fetch_id)
