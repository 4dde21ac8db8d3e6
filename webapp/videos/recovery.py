"""Removes what a crash leaves behind: imports without a worker, half-written folders, uploads that
are not continued.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import structlog
from django.db.models import Q
from django.utils import timezone

from webapp.storage.files import storage
from webapp.videos.fetching import FETCHES
from webapp.videos.import_queue import IMPORTS
from webapp.videos.models import Upload, Video, VideoState
from webapp.videos.storage import VIDEOS, staging_of, videos_root
from webapp.videos.upload_files import UPLOADS, remove_old_parts, remove_upload

log = structlog.get_logger(__name__)

ABANDONED_AFTER = timedelta(days=3)
ORPHANED_AFTER = timedelta(days=1)  # The row of a younger folder may still be in a transaction that has not ended.


def sweep_imports(*, starting: bool = False) -> None:
    """Take back the imports of lost workers and remove what crashes left.

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
    # An import of masks may wait for its author's answer for longer.
    for upload in old.exclude(Q(videos__state=VideoState.IMPORTING)).exclude(mask_imports__state="asking"):
        remove_upload(upload.pk)
        upload.delete()


def sweep_orphans() -> None:
    """Remove stored folders of videos and uploads that have no row.

    Such folders stay when the storage was away, or a process was killed, just after their row was deleted.
    """
    _remove_orphans(VIDEOS, {str(pk) for pk in Video.objects.values_list("pk", flat=True)}, str.isdigit)
    _remove_orphans(UPLOADS, {str(pk) for pk in Upload.objects.values_list("pk", flat=True)}, _is_uuid)


def _remove_orphans(parent: str, known: set[str], is_named_after_a_row: Callable[[str], bool]) -> None:
    for name in storage().folders(parent):
        if name in known or not is_named_after_a_row(name):
            continue
        with suppress(FileNotFoundError):  # Another worker may remove it at the same time.
            if storage().age(f"{parent}/{name}") > ORPHANED_AFTER.total_seconds():
                storage().remove_folder(f"{parent}/{name}")
                log.warning("folder_without_row_removed", folder=f"{parent}/{name}")


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
