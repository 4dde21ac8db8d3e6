"""The lease of imports, and the parts of imports that the web process needs. They need no decoder."""

from __future__ import annotations

from datetime import timedelta

import structlog

from webapp.notifications.kinds import Kind
from webapp.notifications.notify import notify
from webapp.storage.failure import StorageAway
from webapp.tasks.lease import Lease, Limits
from webapp.tasks.models import Queue
from webapp.tasks.sending import after_commit, send_task
from webapp.videos.models import Upload, Video, VideoState
from webapp.videos.storage import VideoFiles
from webapp.videos.upload_files import remove_upload
from webapp.webhooks.events import Event, tell

log = structlog.get_logger(__name__)

TASK = "videos.import_video"
COPY = "overview.copy_video"  # The task of an import whose source is another video.


class ImportLease(Lease[Video]):
    """The lease of imports. A heartbeat is stored twice a second, or every 5 s for a copy. A slow disk may delay it."""

    queue = Queue.IMPORTS

    def notify(self, pk: int) -> None:
        notify_import_worker(pk)

    def is_wanted(self, task: Video) -> bool:
        # Without them a command or a web process makes the video, and no worker could get its frames.
        has_source = task.upload_id is not None or task.copy_labels is not None
        return not task.cancel_requested and has_source

    def end_lost(self, task: Video) -> None:
        if task.cancel_requested:
            state, error = VideoState.CANCELLED, ""
        elif task.is_copy and task.copy_labels is None:
            state = VideoState.FAILED
            error = "The program that made this copy was stopped. Delete it, and give the job again."
        elif task.upload is None and task.copy_labels is None:
            state, error = VideoState.FAILED, "The program that brought this video in was stopped. Bring it in again."
        else:
            state = VideoState.FAILED
            error = f"The worker stopped {task.losses} times before this import was done. Its log may say why."
        if self.held(task.pk, task.fence).update(state=state, error=error) and error:
            tell_of_failure(task, error)
        # The worker may have been lost after it moved the files and before it wrote the row.
        after_commit(VideoFiles(task.pk).remove)
        if task.upload is not None:
            after_commit(release_upload, task.upload)


IMPORTS = ImportLease(
    Video,
    waiting=VideoState.IMPORTING,
    running=VideoState.IMPORTING,
    limits=Limits(stale_after=timedelta(seconds=15), notify_again_after=timedelta(seconds=60)),
)


def notify_import_worker(video_id: int) -> None:
    """Tell the workers, once the current transaction has committed, that a video waits to be imported."""
    is_copy = Video.objects.filter(pk=video_id, copy_labels__isnull=False).exists()
    send_task(COPY if is_copy else TASK, video_id)


def tell_of_failure(video: Video, error: str) -> None:
    """Notify the person who added a video, and webhooks, that its import failed."""
    text, link = f"{video.name} cannot be imported. {error}", f"/projects/{video.project_id}"
    notify([video.created_by_id], Kind.IMPORT_FAILED, text, link=link, project_id=video.project_id)
    tell(video.project_id, Event.VIDEO_FAILED, video=video.pk, name=video.name, error=error)


def release_upload(upload: Upload) -> None:
    """Remove the file of `upload` if no video that comes from it waits to be imported or is being imported.

    If the storage is away, the sweep removes the file together with the row of the upload when that is old.
    """
    if upload.videos.filter(state=VideoState.IMPORTING).exists():
        return
    try:
        remove_upload(upload.pk)
    except StorageAway as error:
        log.warning("upload_not_removed", upload=str(upload.pk), error=str(error))


def cancel_import(*, video: Video) -> None:
    """Ask an import to stop. An import that no worker has begun ends at once; one that has ended stays as it is."""
    if IMPORTS.waiting().filter(pk=video.pk).update(state=VideoState.CANCELLED, cancel_requested=True):
        if video.upload is not None:
            release_upload(video.upload)
    else:
        Video.objects.filter(pk=video.pk, state=VideoState.IMPORTING).update(cancel_requested=True)
