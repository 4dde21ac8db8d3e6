"""Imports a video: claims its row, writes its files, and marks it ready, failed or cancelled.

A worker holds a lease on the row of the video while it imports it (webapp/tasks/lease.py). It writes the files beside
the video's folder and moves them there when they are complete.
"""

from __future__ import annotations

import errno
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from django.db import OperationalError, transaction
from django.db.models.functions import Now

from webapp.storage.failure import AWAY_FOR_LONG, StorageAway
from webapp.storage.files import storage
from webapp.tasks.heartbeat import beating
from webapp.videos.frame_hashes import store_hashes
from webapp.videos.frame_writer import FrameWriter
from webapp.videos.import_process import FoundVideo, ReadVideo, read_in_process
from webapp.videos.import_queue import IMPORTS, notify_import_worker, release_upload, tell_of_failure
from webapp.videos.models import NAME_LENGTH, PART_LENGTH, Video, VideoState, became_ready
from webapp.videos.quota import Room, alone, room_for
from webapp.videos.refusal import ImportCancelled, Refused, disk_full
from webapp.videos.storage import VideoFiles, VideoFolder, staging_of
from webapp.videos.upload_files import local_upload
from webapp.webhooks.events import Event, tell

if TYPE_CHECKING:  # It loads FFmpeg.
    from webapp.videos.sources import Clip

log = structlog.get_logger(__name__)

BEAT_SECONDS = 0.5
OnProgress = Callable[[int, int], None]  # Called with the frames done and the frames in all (0 if unknown).


def run_import(video_id: int) -> None:
    """Import a video that waits. Does nothing if another worker has claimed it, its import has ended, or imports are
    paused.
    """
    video = claim(video_id)
    if video is None:
        return
    if video.upload is None:
        end_import(video, VideoState.FAILED, "The uploaded file of this video is gone. Upload it again.")
        return
    try:
        with beating(partial(IMPORTS.beat, video.pk, video.fence), BEAT_SECONDS, video=video_id):
            path = local_upload(video.upload)  # It may be large, and come from a bucket.
        _import(video, path)
    except ImportCancelled:
        end_import(video, VideoState.CANCELLED)
    except Refused as refusal:
        end_import(video, VideoState.FAILED, refusal.text)
    except OperationalError:
        raise  # The database is away. The sweep takes the task back when its heartbeat is stale.
    except StorageAway:
        if not IMPORTS.postpone(video.pk, video.fence):
            end_import(video, VideoState.FAILED, AWAY_FOR_LONG)
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            end_import(video, VideoState.FAILED, disk_full().text)
            return
        log.exception("import_failed", video=video_id)
        end_import(video, VideoState.FAILED, "The import failed by a fault of the program; the worker's log names it.")
    finally:
        release_upload(video.upload)


def claim(video_id: int) -> Video | None:
    """Claim a video that waits to be imported. None if another worker has claimed it, its import has ended, or imports
    are paused.
    """
    return IMPORTS.claim(video_id, progress_done=0)


def _import(video: Video, path: Path) -> None:
    """Write all files of a claimed video from the upload at `path`, and mark it ready. Raises what `write_video`
    raises.
    """
    beat = Heartbeat(video)
    with _staging(video) as folder, read_in_process(path, beat) as reader:
        own = _own_part(video, reader.found)
        beat.expected = own.expected
        beat.room = room_for(video.project, video.created_by, without=video.pk)
        beat.room.check(frames=1)
        _publish(video, reader.write(own.part, folder), folder, beat)


def write_video(video: Video, clip: Clip, *, on_progress: OnProgress | None = None) -> None:
    """Write all files of a claimed video and mark it ready.

    Raises Refused, or ImportCancelled if somebody cancelled the import or the claim was lost. Then no file is left.
    """
    beat = Heartbeat(video, clip.expected, on_progress)
    with _staging(video) as folder:
        with FrameWriter(folder) as writer:
            for frame in clip.frames():
                writer.add(frame)
                beat(writer.count)
        _publish(video, ReadVideo(writer.written, clip.fps, clip.pixel_aspect, clip.notes), folder, beat)


@contextmanager
def _staging(video: Video) -> Iterator[VideoFolder]:
    """Provide the folder in which this attempt at an import writes. Files that are left in it when the block ends are
    removed.

    Removing a long video may take longer than the lease, so heartbeats are stored meanwhile.
    """
    folder = staging_of(video.pk, video.fence)
    try:
        yield folder
    finally:
        with beating(partial(IMPORTS.beat, video.pk, video.fence), BEAT_SECONDS, video=video.pk):
            folder.remove()


class Heartbeat:
    """Stores heartbeat and progress of an import, at most twice a second, and notices that it is to stop."""

    def __init__(self, video: Video, expected: int = 0, on_progress: OnProgress | None = None) -> None:
        self.expected = expected
        self.room: Room | None = None  # What the quotas leave for this video.
        self._held = IMPORTS.held(video.pk, video.fence)
        self._on_progress = on_progress
        self._next = 0.0
        self._done = 0

    def __call__(self, done: int | None = None, *, now: bool = False) -> None:
        """Store that `done` frames are written; None means as many as before.

        With `now` it is stored even if less than half a second has passed. Raises ImportCancelled if the import is to
        stop or the claim was lost, and Refused if the quota leaves no room for so many frames.
        """
        self._done = self._done if done is None else done
        if not now and time.monotonic() < self._next:
            return
        self._next = time.monotonic() + BEAT_SECONDS
        done = self._done
        if self.room is not None:
            self.room.check(frames=done)
        total = max(self.expected, done) if self.expected else 0
        wanted = self._held.filter(cancel_requested=False)
        if not wanted.update(heartbeat=Now(), progress_done=done, progress_total=total):
            raise ImportCancelled
        if self._on_progress is not None:
            self._on_progress(done, total)


def _publish(video: Video, read: ReadVideo, staging: VideoFolder, beat: Heartbeat) -> None:
    written = read.written
    if not written.count:
        raise Refused("no_frames", "There are no frames.")
    beat(written.count, now=True)
    files = VideoFiles(video.pk)
    # The files exist already if an attempt was killed after it stored them and before it wrote the row.
    storage().save_folder(staging.root, files.folder, beat)
    try:
        ready = _become_ready(video, read)
    except Refused:
        files.remove()
        raise
    if not ready:
        # The files are another worker's if that has claimed the video since.
        if not Video.objects.filter(pk=video.pk, fence__gt=video.fence).exists():
            files.remove()
        raise ImportCancelled


@transaction.atomic
def _become_ready(video: Video, read: ReadVideo) -> bool:
    """Mark a claimed video as ready, with what was read. Return False if the claim was lost.

    Raises Refused if another video has used up meanwhile what the quotas left.
    """
    written = read.written
    alone()
    room_for(video.project, video.created_by, without=video.pk).check(frames=written.count, size=written.size_bytes)
    ready = IMPORTS.held(video.pk, video.fence).update(
        state=VideoState.READY,
        note=" ".join(read.notes),
        width=written.width,
        height=written.height,
        frame_count=written.count,
        fps=read.fps,
        pixel_aspect=read.pixel_aspect,
        size_bytes=written.size_bytes,
        truth_frames=written.truth_frames,
        truth_objects=written.truth_objects,
        cuts=written.cuts,
        progress_done=written.count,
        progress_total=written.count,
    )
    if ready:
        store_hashes(video.pk, written.hashes)
        video.refresh_from_db()
        became_ready.send(Video, video=video)
        tell(video.project_id, Event.VIDEO_READY, video=video.pk, name=video.name, frame_count=video.frame_count)
    return bool(ready)


def _own_part(video: Video, found: Iterable[FoundVideo]) -> FoundVideo:
    """Find the part of the file that `video` is for.

    A file may hold several videos. When it is read for the first time, `video` gets the name of the first part, and a
    further video is created for each further part.
    """
    parts = {_fitting_part(part.part): part for part in found}
    if not video.part:
        (video.part, first), *others = parts.items()
        video.name = _fitting_name(first.name) or video.name
        _take_parts(video, others)
    return parts[video.part]


@transaction.atomic
def _take_parts(video: Video, others: Iterable[tuple[str, FoundVideo]]) -> None:
    if not IMPORTS.held(video.pk, video.fence).update(part=video.part, name=video.name):
        raise ImportCancelled
    for part, found in others:
        other = Video.objects.create(
            project=video.project,
            name=_fitting_name(found.name),
            part=part,
            upload=video.upload,
            created_by=video.created_by,
        )
        notify_import_worker(other.pk)


def _fitting_name(name: str) -> str:
    """Cut the name of a video to fit its column: the path of a folder in a zip may have thousands of letters."""
    return name[:NAME_LENGTH]


def _fitting_part(part: str) -> str:
    """Shorten the path of a video within its file to fit the column `Video.part`.

    A hash replaces what is cut, so that the parts of a file stay different.
    """
    if len(part) <= PART_LENGTH:
        return part
    digest = hashlib.sha256(part.encode()).hexdigest()
    return part[: PART_LENGTH - len(digest)] + digest


@transaction.atomic
def end_import(video: Video, state: VideoState, error: str = "") -> bool:
    """End an import, and tell who added the video if it failed. Return False if this worker no longer holds it.

    In that case nothing is stored, because the video is another worker's or has ended.
    """
    ended = IMPORTS.held(video.pk, video.fence).update(state=state, error=error)
    if ended and state == VideoState.FAILED:
        tell_of_failure(video, error)
    return bool(ended)
