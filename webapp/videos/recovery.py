"""Lets imports and fetches wait again whose worker is lost, and removes what a crash or a client left behind:
half-written folders, and uploads that nobody continues.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import structlog
from django.db.models import Q
from django.utils import timezone

from webapp.installation import COMMAND
from webapp.storage.files import storage
from webapp.videos.fetching import FETCHES
from webapp.videos.import_queue import IMPORTS
from webapp.videos.models import Upload, Video, VideoState
from webapp.videos.storage import VIDEOS, VideoFiles, staging_of, videos_root
from webapp.videos.upload_files import UPLOADS, remove_old_parts, remove_upload

log = structlog.get_logger(__name__)

ABANDONED_AFTER = timedelta(days=3)
ORPHANED_AFTER = timedelta(days=1)  # A younger folder may be one that is being removed at this moment.


def sweep_imports(*, starting: bool = False) -> None:
    """Take back the imports and fetches of lost workers, and remove files that are no longer needed.

    It is safe to call this at any time and from several workers at once. `starting` says that this worker has just
    started.
    """
    IMPORTS.sweep(starting=starting)
    FETCHES.sweep(starting=starting)
    _remove_leftovers()
    storage().remove_set_aside(VIDEOS)
    _remove_abandoned_uploads()
    remove_old_parts()


def _remove_leftovers() -> None:
    """Remove the folders in which lost workers were writing."""
    # The folders are listed before the rows are read. A worker makes its folder after its claim, so the row of each
    # listed folder in use is found. The age of a folder does not matter.
    folders = list(videos_root().glob("importing-*"))
    claimed = Video.objects.filter(state=VideoState.IMPORTING).values_list("pk", "fence")
    kept = {staging_of(pk, fence).root.name for pk, fence in claimed}
    for folder in folders:
        if folder.name not in kept:
            _remove_tree(folder)


def _remove_tree(folder: Path) -> None:
    with suppress(FileNotFoundError):  # Another worker may remove it at the same time.
        shutil.rmtree(folder)


def _remove_abandoned_uploads() -> None:
    old = Upload.objects.filter(touched_at__lt=timezone.now() - ABANDONED_AFTER)
    # An import may wait for longer: while imports are paused, or one of masks for its author's answer.
    waits = Q(videos__state=VideoState.IMPORTING) | Q(mask_imports__state__in=("queued", "running", "asking"))
    for upload in old.exclude(waits):
        remove_upload(upload.pk)
        upload.delete()


def folders_without_row() -> list[str]:
    """Return the stored folders of videos and uploads that have no row in the database, sorted.

    Such folders stay when the storage was away, or a process was killed, just after their row was deleted. But the
    database may also be a new one, a test site's, or an older copy, and then they are the only pictures of somebody's
    videos.
    """
    # The folders are listed before the rows are read: a row is committed before its folder is made.
    videos = [name for name in storage().folders(VIDEOS) if name.isdigit()]
    uploads = [name for name in storage().folders(UPLOADS) if _is_uuid(name)]
    rows = {str(pk) for pk in Video.objects.values_list("pk", flat=True)}
    upload_rows = {str(pk) for pk in Upload.objects.values_list("pk", flat=True)}
    extra = [f"{VIDEOS}/{name}" for name in sorted(videos, key=int) if name not in rows]
    return extra + [f"{UPLOADS}/{name}" for name in sorted(uploads) if name not in upload_rows]


def report_orphans() -> None:
    """Log how many old folders have no row. Nothing is removed, because nothing says that their rows were deleted.

    `manage.py fsck` names the folders, and removes them if it is asked to.
    """
    old = [folder for folder in folders_without_row() if _is_old(folder)]
    if old:
        log.warning("folders_without_row", count=len(old), first=old[:5], help=f"{COMMAND} fsck names them all")


def remove_files_of_ended() -> None:
    """Remove the stored files of videos whose import failed or was cancelled while the storage was away."""
    # One query for all folders: a worker calls this between two heartbeats, and a site may have thousands of videos.
    ended = Video.objects.filter(state__in=[VideoState.FAILED, VideoState.CANCELLED])
    numbers = set(ended.values_list("pk", flat=True))
    for pk in sorted(numbers & {int(name) for name in storage().folders(VIDEOS) if name.isdigit()}):
        if ended.filter(pk=pk).exists():  # Somebody may have started the import again meanwhile.
            VideoFiles(pk).remove()


def _is_old(folder: str) -> bool:
    try:
        return storage().age(folder) > ORPHANED_AFTER.total_seconds()
    except FileNotFoundError:  # It was removed meanwhile.
        return False


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
