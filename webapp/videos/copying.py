"""Copies a video without the work on it.

Where the file system has hard links, the copy shares the files of the original, so it needs no room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from webapp.accounts.models import User
from webapp.problems import NotFound, Problem
from webapp.storage.files import Beat, storage
from webapp.tasks.heartbeat import beating
from webapp.videos.frame_hashes import copy_hashes
from webapp.videos.import_queue import IMPORTS
from webapp.videos.models import Video, VideoState, became_ready
from webapp.videos.storage import VIDEOS, VideoFiles, staging_of

COPIED = ("name", "width", "height", "frame_count", "fps", "pixel_aspect", "size_bytes", "cuts", "truth_frames")
BEAT_SECONDS = 5.0


@contextmanager
def copies_of(video: Video, count: int, *, by: User) -> Iterator[list[Video]]:
    """Provide copies of a ready video, with its ground truth and without objects and rounds.

    Only reviewers and people with a job in it see a copy. The files are copied before the block begins, and outside of
    transactions, because that may take minutes. The block makes the copies ready with `finish_copy`; those that are
    not ready at its end are deleted. Raises NotFound if the video is deleted meanwhile.
    """
    with transaction.atomic():
        made = [_begin(video, by) for _ in range(count)]
    copies = Video.objects.filter(pk__in=[copy.pk for copy in made])
    try:
        with beating(lambda: _claimed(copies).update(heartbeat=Now()), BEAT_SECONDS, copies_of=video.pk):
            for copy in made:
                copy_files(video, copy)()
        yield made
    except FileNotFoundError:
        raise NotFound("video") from None
    finally:
        for copy in copies.exclude(state=VideoState.READY):  # The sweep may have ended some.
            copy.delete()


def _begin(video: Video, by: User) -> Video:
    """Create the row of a copy. It has a heartbeat, so that the sweep ends it if this process is killed."""
    values = {name: getattr(video, name) for name in COPIED}
    return Video.objects.create(
        project_id=video.project_id,
        truth_objects=video.truth_objects,
        copy_of=video,
        is_copy=True,
        created_by=by,
        fence=1,
        heartbeat=Now(),
        **values,
    )


def _claimed(videos: QuerySet[Video]) -> QuerySet[Video]:
    return videos.filter(state=VideoState.IMPORTING, heartbeat__isnull=False)


def finish_copy(copy: Video) -> None:
    """Mark a copy as ready, within a transaction. Raises Problem "cancelled" (409) if its import has been ended."""
    if not IMPORTS.held(copy.pk, copy.fence).filter(cancel_requested=False).update(state=VideoState.READY):
        raise Problem("cancelled", "Somebody cancelled the import of a copy. Try again.", 409)
    copy_hashes(copy.copy_of_id or 0, copy.pk)
    copy.refresh_from_db()
    became_ready.send(Video, video=copy)


def copy_files(source: Video, target: Video, beat: Beat = lambda: None) -> Callable[[], None]:
    """Copy the files of a video. Returns a function that puts the copies in the place of the files of `target`.

    `beat` is called for each file, and may raise an exception to stop.
    """
    staging = f"{VIDEOS}/{staging_of(target.pk, target.fence).root.name}"
    return storage().copy_folder(VideoFiles(source.pk).folder, VideoFiles(target.pk).folder, staging, beat)
