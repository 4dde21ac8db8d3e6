"""Copies a video without the work on it. The copy shares the files of the frames, so it needs no room on the disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from django.db import transaction

from webapp.accounts.models import User
from webapp.videos.models import Video, VideoState
from webapp.videos.storage import folder_of

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
    folder_of(made.pk).remove()  # It exists if a process was killed after it copied files and before it wrote the row.
    link_files(video, folder_of(made.pk).root)
    return made


def link_files(video: Video, target: Path, beat: Callable[[], object] = lambda: None) -> None:
    """Give the files of a video second names below the folder `target`, which is removed if that fails.

    `beat` is called for each file, and may raise an exception to stop.
    """

    def link(source: str, name: str) -> None:
        beat()
        _link(source, name)

    try:
        shutil.copytree(folder_of(video.pk).root, target, copy_function=link)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _link(source: str, target: str) -> None:
    """Give a file a second name; where the file system cannot do that, copy it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def remove_files(video: Video) -> None:
    """Remove the files of a copy whose row was not kept."""
    shutil.rmtree(folder_of(video.pk).root, ignore_errors=True)
