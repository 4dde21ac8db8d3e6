"""Renames a video, cancels its import, or deletes it."""

from __future__ import annotations

from django.db import transaction

from webapp.accounts.models import User
from webapp.audit.entries import Thing, record
from webapp.problems import Problem
from webapp.projects.deletable import put_into_trash, remove
from webapp.projects.models import Role
from webapp.videos.access import video_for
from webapp.videos.import_queue import cancel_import, release_upload
from webapp.videos.models import Video, VideoState


@transaction.atomic
def rename_video(*, by: User, video_id: int, name: str) -> Video:
    video = video_for(by, video_id, Role.ANNOTATOR)
    video.name = name.strip()
    if not video.name:
        raise Problem("no_name", "Give the video a name.")
    video.save(update_fields=["name"])
    return video


def stop_import(*, by: User, video_id: int) -> Video:
    """Cancel the import of a video. A worker that reads its file stops within a second."""
    video = video_for(by, video_id, Role.ANNOTATOR)
    cancel_import(video=video)
    video.refresh_from_db()
    return video


@transaction.atomic
def delete_video(*, by: User, video_id: int) -> None:
    """Put a video with its rounds into the trash. One that is not ready is deleted at once, and its import is stopped.

    This needs a manager. An annotator may delete a video whose import failed or was cancelled.
    """
    video = video_for(by, video_id)
    ended = video.state in (VideoState.FAILED, VideoState.CANCELLED)
    video_for(by, video_id, Role.ANNOTATOR if ended else Role.MANAGER)
    thing = Thing("video", video.pk, video.name)
    record(by, "video.delete", thing, project_id=video.project_id, frames=video.frame_count)
    if video.state == VideoState.READY:
        put_into_trash(video, by)
        return
    cancel_import(video=video)
    remove(video, by)
    if video.upload is not None:
        release_upload(video.upload)
