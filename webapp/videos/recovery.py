"""What a crash leaves behind: imports without a worker, half-written folders, uploads that nobody goes on with."""

from __future__ import annotations

import shutil
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from webapp.videos.import_queue import notify_import_worker, release_upload
from webapp.videos.models import Upload, Video, VideoState
from webapp.videos.storage import folder_of, staging_of, upload_path, videos_root

STALE = timedelta(seconds=15)  # a worker that lives writes twice a second; a slow disk may hold it up
NOTIFY_AGAIN = timedelta(seconds=60)
ABANDONED = timedelta(days=3)
MAX_ATTEMPTS = 3


def sweep_imports() -> None:
    """Set right what can be. Safe to call at any time, by several processes at once."""
    for video in Video.objects.filter(state=VideoState.IMPORTING).select_related("upload"):
        if video.heartbeat is None:
            _notify_again(video)
        elif video.heartbeat < timezone.now() - STALE:
            _take_from_the_dead(video)
    _remove_leftovers()
    _remove_abandoned_uploads()


def _notify_again(video: Video) -> None:
    now = timezone.now()
    forgotten = Video.objects.filter(pk=video.pk, heartbeat=None, rung_at__lt=now - NOTIFY_AGAIN)
    if forgotten.update(rung_at=now):
        notify_import_worker(video.pk)


def _take_from_the_dead(video: Video) -> None:
    dead = Video.objects.filter(pk=video.pk, state=VideoState.IMPORTING, fence=video.fence, heartbeat=video.heartbeat)
    if video.cancel_requested:
        ended = dead.update(state=VideoState.CANCELLED)
    elif video.upload is None:
        ended = dead.update(
            state=VideoState.FAILED, error="The program that brought this video in was stopped. Bring it in again."
        )
    elif video.attempts >= MAX_ATTEMPTS:
        ended = dead.update(
            state=VideoState.FAILED,
            error=f"The worker was killed {video.attempts} times during this import, perhaps for want of memory.",
        )
    else:
        if dead.update(heartbeat=None, rung_at=timezone.now()):
            notify_import_worker(video.pk)
        return
    if ended:
        folder_of(video.pk).remove()  # the worker may have died between the move of its files and the row
        if video.upload is not None:
            release_upload(video.upload)


def _remove_leftovers() -> None:
    """Folders of attempts that no row knows. One that an import is writing to is its row's own."""
    if not videos_root().exists():
        return
    kept = {
        staging_of(pk, fence).root.name
        for pk, fence in Video.objects.filter(state=VideoState.IMPORTING).values_list("pk", "fence")
    }
    for folder in videos_root().glob("importing-*"):
        # A claim may come between the query and this look; its folder is then a moment old.
        young = folder.stat().st_mtime > (timezone.now() - STALE).timestamp()
        if folder.name not in kept and not young:
            shutil.rmtree(folder)


def _remove_abandoned_uploads() -> None:
    old = Upload.objects.filter(touched_at__lt=timezone.now() - ABANDONED)
    for upload in old.exclude(Q(videos__state=VideoState.IMPORTING)):
        upload_path(upload.pk).unlink(missing_ok=True)
        upload.delete()
