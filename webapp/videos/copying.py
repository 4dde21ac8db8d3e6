"""Copies a video without the work on it. On a disk the copy shares the files of the frames, so it needs no room."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from webapp.accounts.models import User
from webapp.long_transactions import allow_silence
from webapp.storage.files import Beat, storage
from webapp.videos.models import Video, VideoState
from webapp.videos.storage import VIDEOS, VideoFiles, staging_of

COPIED = ("name", "width", "height", "frame_count", "fps", "pixel_aspect", "size_bytes", "cuts", "truth_frames")


@transaction.atomic
def copy_video(video: Video, *, by: User) -> Video:
    """Create a copy of a ready video, with its ground truth and without objects and rounds.

    Only reviewers and people with a job in it see the copy.
    """
    values = {name: getattr(video, name) for name in COPIED}
    made = Video.objects.create(
        project_id=video.project_id,
        state=VideoState.READY,
        truth_objects=video.truth_objects,
        copy_of=video,
        is_copy=True,
        created_by=by,
        **values,
    )
    allow_silence()
    copy_files(video, made)()
    return made


def copy_files(source: Video, target: Video, beat: Beat = lambda: None) -> Callable[[], None]:
    """Copy the files of a video. Returns a function that puts the copies in the place of the files of `target`.

    `beat` is called for each file, and may raise an exception to stop.
    """
    staging = f"{VIDEOS}/{staging_of(target.pk, target.fence).root.name}"
    return storage().copy_folder(VideoFiles(source.pk).folder, VideoFiles(target.pk).folder, staging, beat)


def remove_files(video: Video) -> None:
    """Remove the files of a copy whose row was not kept."""
    VideoFiles(video.pk).remove()
