"""Imports that wait: told to a worker, cancelled, their file let go. The web process needs no decoder for any of it."""

from __future__ import annotations

from functools import partial

from celery import current_app
from django.db import transaction

from webapp.videos.models import Upload, Video, VideoState
from webapp.videos.storage import upload_path

TASK = "videos.import_video"


def notify_import_worker(video_id: int) -> None:
    """Tell a worker of a video that waits, once the transaction at hand is committed."""
    # Robust: the row is the truth, and the sweep rings again when the broker was away.
    transaction.on_commit(partial(current_app.send_task, TASK, [video_id]), robust=True)


def release_upload(upload: Upload) -> None:
    """Remove the file of `upload` when no video waits for it any more."""
    if not upload.videos.filter(state=VideoState.IMPORTING).exists():
        upload_path(upload.pk).unlink(missing_ok=True)


def cancel_import(*, video: Video) -> None:
    """Ask an import to stop; one that no worker has begun ends at once. Nothing happens to a video that has ended."""
    importing = Video.objects.filter(pk=video.pk, state=VideoState.IMPORTING)
    waiting = importing.filter(heartbeat=None)
    if waiting.update(state=VideoState.CANCELLED, cancel_requested=True):
        if video.upload is not None:
            release_upload(video.upload)
    else:
        importing.update(cancel_requested=True)
